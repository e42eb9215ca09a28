import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { OpenAI as LlamaIndexModel, OpenAIEmbedding } from "@llamaindex/openai";
import { Document, Settings, VectorStoreIndex } from "llamaindex";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeTinyBert } from "../../engines/tiny-bert.test-writer.ts";
import { startHost, type Host } from "../../main.ts";

/** The whole host over HTTP: the real reader model, and tiny models of random weights that embed and rank. */
const resources = join(import.meta.dirname, "../../../../../resources");
const reader = "corral-reader+Handbook";
const question = "How much does an adult ticket cost?";
const sentence = "An adult ticket costs nine pounds, and children under twelve come in free.";

let folder: string;
let host: Host;
let address: string;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-api-"));
  host = await startHost({
    dataDirectory: join(folder, "data"),
    resourcesDirectory: resources,
    shell: "headless",
    stderrLevel: null,
  });
  ({ address } = await host.listen({ port: 0, ui: null }));
  openai = new OpenAI({ baseURL: `${address}/v1`, apiKey: host.key, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: address, apiKey: host.key, maxRetries: 0 });

  const { client } = host;
  const collection = await client.library.createCollection({ name: "Handbook" });
  const path = join(resources, "samples/observatory-handbook.pdf");
  await client.library.addPaths({ collectionId: collection.id, paths: [path] });
  await vi.waitUntil(async () => (await host.services.library.documents(collection.id))[0]?.state === "ready", 60_000);
  for (const pooling of ["mean", "rank"] as const) {
    const file = join(folder, `tiny-${pooling}.gguf`);
    await writeTinyBert(file, { pooling, name: `Tiny ${pooling}` });
    await client.models.add({ path: file });
  }
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("the reader model", () => {
  const messages = [{ role: "user" as const, content: question }];
  const annotation = {
    corral: { document: "observatory-handbook.pdf", page: 2, quote: sentence, support: "verbatim" },
  };

  it("quotes through the OpenAI client, whole, streamed and as a response", async () => {
    const whole = await openai.chat.completions.create({ model: reader, messages });
    expect(whole.choices[0]?.message).toMatchObject({ content: `${sentence} [1]`, annotations: [annotation] });
    expect(whole.usage?.completion_tokens).toBeGreaterThan(5);
    const stream = openai.chat.completions.stream({
      model: reader,
      messages,
      stream_options: { include_usage: true },
    });
    expect(await stream.finalContent()).toBe(`${sentence} [1]`);
    // The same words again: the prompt is in the KV cache.
    expect((await stream.totalUsage()).total_tokens).toBe(whole.usage?.total_tokens);
    const response = await openai.responses.create({ model: reader, input: question });
    expect(response.output_text).toBe(`${sentence} [1]`);
    expect(response.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0);
    await expect(openai.chat.completions.create({ model: "corral-reader", messages })).rejects.toMatchObject({
      status: 400,
      code: "no_sources",
    });
  });

  it("quotes through the Anthropic client", async () => {
    const reply = await anthropic.messages.stream({ model: reader, max_tokens: 200, messages }).finalMessage();
    expect(reply.content).toMatchObject([
      { type: "text", text: `${sentence} [1]`, citations: [{ type: "page_location", start_page_number: 2 }] },
    ]);
    expect(reply.usage.cache_read_input_tokens).toBeGreaterThan(0);
  });

  it("quotes through LangChain and LlamaIndex", async () => {
    const configuration = { baseURL: `${address}/v1` };
    const langchain = new ChatOpenAI({ model: reader, apiKey: host.key, configuration, maxRetries: 0 });
    expect((await langchain.invoke(question)).content).toBe(`${sentence} [1]`);
    const llamaindex = new LlamaIndexModel({ model: reader, apiKey: host.key, ...configuration, maxRetries: 0 });
    expect((await llamaindex.chat({ messages })).message.content).toBe(`${sentence} [1]`);
  });

  it("says that the documents don't say", async () => {
    const asked = [{ role: "user" as const, content: "Who composed the opera about the submarine?" }];
    const reply = await openai.chat.completions.create({ model: reader, messages: asked });
    expect(reply.choices[0]).toMatchObject({ finish_reason: "stop", message: { annotations: [] } });
    expect(reply.choices[0]?.message.content).toContain("don't say");
  });
});

describe("embeddings and ranks", () => {
  it("are of unit length, the same packed and plain, and of the texts in their order", async () => {
    const input = ["the gate closes at six", "dogs on a lead"];
    const packed = await openai.embeddings.create({ model: "tiny-mean", input });
    const plain = await openai.embeddings.create({ model: "tiny-mean", input, encoding_format: "float" });
    expect(packed.usage.prompt_tokens).toBeGreaterThan(4);
    for (const [at, { embedding }] of packed.data.entries()) {
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
      embedding.forEach((value, place) => expect(value).toBeCloseTo(plain.data[at]!.embedding[place]!, 6));
    }
    const one = await openai.embeddings.create({ model: "tiny-mean", input: input[1]! });
    one.data[0]!.embedding.forEach((value, place) => expect(value).toBeCloseTo(plain.data[1]!.embedding[place]!, 3));
    await expect(openai.embeddings.create({ model: "tiny-mean", input: "word ".repeat(2_000) })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
  });

  it("rank documents between 0 and 1, best first", async () => {
    const answer = await fetch(`${address}/v1/rerank`, {
      method: "POST",
      headers: { authorization: `Bearer ${host.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "tiny-rank", query: "the gate", documents: ["one", "two words", "the gate"] }),
    });
    const { results } = (await answer.json()) as { results: { index: number; relevance_score: number }[] };
    expect(results.map(({ index }) => index).toSorted()).toEqual([0, 1, 2]);
    const scores = results.map(({ relevance_score }) => relevance_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
  });

  it("serve a retrieval chain of LangChain and one of LlamaIndex", async () => {
    const configuration = { baseURL: `${address}/v1` };
    const texts = ["The gate closes at six.", "Dogs are allowed on a lead.", "The pool opens in May."];
    const langchain = new OpenAIEmbeddings({ model: "tiny-mean", apiKey: host.key, configuration, maxRetries: 0 });
    const vectors = await langchain.embedDocuments(texts);
    const asked = await langchain.embedQuery(texts[1]!);
    const cosines = vectors.map((vector) => vector.reduce((sum, value, at) => sum + value * asked[at]!, 0));
    // Random weights know no meaning, but the same words are nearest to themselves.
    expect(cosines.indexOf(Math.max(...cosines))).toBe(1);

    const given = { apiKey: host.key, ...configuration, maxRetries: 0 };
    Settings.embedModel = new OpenAIEmbedding({ model: "tiny-mean", ...given });
    Settings.llm = new LlamaIndexModel({ model: reader, ...given });
    const index = await VectorStoreIndex.fromDocuments(texts.map((text) => new Document({ text })));
    const [best] = await index.asRetriever({ similarityTopK: 1 }).retrieve(texts[2]!);
    expect(best?.node.getContent("NONE" as never)).toBe(texts[2]);
  });
});

describe("health and metrics", () => {
  it("tell of the models at work", async () => {
    expect((await fetch(`${address}/health`)).status).toBe(200);
    const metrics = await fetch(`${address}/metrics`, { headers: { "x-api-key": host.key } });
    const text = await metrics.text();
    const valueOf = (name: string) =>
      Number(new RegExp(`^${name}\\{model="corral-reader"\\} (\\d+)$`, "mu").exec(text)?.[1]);
    expect(valueOf("corral_completion_tokens_total")).toBeGreaterThan(100);
    expect(valueOf("corral_cached_tokens_total")).toBeGreaterThan(0);
    expect(valueOf("corral_requests_running")).toBe(0);
    expect(text).toMatch(/^corral_slots\{model="corral-reader",context="\d+"\} \d+$/mu);
    expect(text).toMatch(/^corral_http_requests_total\{route="\/v1\/embeddings",status="200"\} \d+$/mu);
  });
});
