import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLogger } from "../logger.ts";
import type { LoadedModel, LoadSettings } from "./engine.ts";
import { readGgufHeader } from "./gguf-header.ts";
import { createLlamaEngine } from "./llama-engine.ts";
import { writeTinyBert } from "./tiny-bert.test-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "corral-vectors-"));
const never = new AbortController().signal;
const reader = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");

const load = (file: string, purpose: "embed" | "rank", contextSize = 512): Promise<LoadedModel> => {
  const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
  const settings: LoadSettings = { ...shared, purpose, slots: [{ contextSize, count: 1 }] };
  return engine.load({ id: purpose, path: file }, settings, { signal: never });
};
const shared = { gpuLayers: 0, threads: 2, kvCacheType: "f16" } as const;
const embedding = join(folder, "mean.gguf");
const ranking = join(folder, "rank.gguf");

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

beforeAll(async () => {
  await writeTinyBert(embedding);
  await writeTinyBert(ranking, { pooling: "rank" });
});
afterAll(() => rm(folder, { recursive: true }));

describe("a model loaded for embedding", () => {
  let model: LoadedModel;
  beforeAll(async () => void (model = await load(embedding, "embed")));
  afterAll(() => model[Symbol.asyncDispose]());

  it("tells the length of its vectors and of the longest text", () => {
    expect(model.facts).toMatchObject({ dimensions: 64, maxTokens: 511, backend: "cpu" });
    expect(model.facts.memory.at(-1)?.weightsBytes).toBeGreaterThan(0);
  });

  it("gives one vector of unit length per text, the same each time, close where words are shared", async () => {
    const texts = ["The gate closes at 18:30.", "When does the gate close?", "Bananas come from Ecuador.", ""];
    const vectors = await model.embed(texts, never);
    for (const vector of vectors) {
      expect(vector).toBeInstanceOf(Float32Array);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
    const [gate, question, bananas] = vectors as [Float32Array, Float32Array, Float32Array];
    expect(dot(gate, question)).toBeGreaterThan(dot(gate, bananas) + 0.1);
    // Texts do not depend on their neighbours.
    const [alone] = await model.embed([texts[1] ?? ""], never);
    expect(alone).toEqual(question);
  });

  it("names the text that is too long, and does no work for the others", async () => {
    const texts = ["short", "word ".repeat(600), "short"];
    await expect(model.embed(texts, never)).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      message: expect.stringContaining("index 1"),
      data: { contextTokens: 511, replyTokens: 0 },
    });
  });

  it("never reads a text as control tokens", async () => {
    const [count] = await model.countTokens(["[SEP]"]);
    // "[", "se", "p", "]": no single token.
    expect(count).toBeGreaterThan(2);
  });

  it("stops when asked to", async () => {
    const controller = new AbortController();
    const call = model.embed(Array<string>(2000).fill("some words to embed here"), controller.signal);
    setTimeout(() => controller.abort(), 30);
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
    // The worker is free again at once.
    expect(await model.embed(["next"], never)).toHaveLength(1);
  });

  it("does not write text", async () => {
    const request = {
      messages: [],
      maxTokens: 1,
      temperature: 0,
      topP: 1,
      topK: 0,
      minP: 0,
      repeatPenalty: 1,
      seed: 1,
    };
    const run = async () => {
      for await (const part of model.generate(request, never)) void part;
    };
    await expect(run()).rejects.toMatchObject({ code: "INVALID_INPUT", data: { field: "model" } });
    await expect(model.rank("a", ["b"], never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("a model loaded for ranking", () => {
  it("scores each text, 0 to 1, and names the one that is too long", async () => {
    await using model = await load(ranking, "rank");
    const texts = ["The gate closes at 18:30.", "Bananas come from Ecuador.", "The gate closes at 18:30."];
    const scores = await model.rank("When does the gate close?", texts, never);
    expect(scores).toHaveLength(3);
    for (const score of scores) expect(score).toSatisfy((value: number) => value > 0 && value < 1);
    expect(scores[0]).toBe(scores[2]);
    expect(scores[0]).not.toBe(scores[1]);
    const call = model.rank("When?", ["short", "word ".repeat(600)], never);
    await expect(call).rejects.toMatchObject({ code: "CONTEXT_OVERFLOW", message: expect.stringContaining("index 1") });
    expect(model.facts.dimensions).toBeUndefined();
  });
});

describe("what a file is made for", () => {
  it("is told by its header; one that writes text can embed as well", async () => {
    expect((await readGgufHeader(embedding)).purpose).toBe("embed");
    expect((await readGgufHeader(ranking)).purpose).toBe("rank");
    expect((await readGgufHeader(reader)).purpose).toBe("generate");
    await using model = await load(reader, "embed", 256);
    const [vector] = await model.embed(["The gate closes at 18:30."], never);
    expect(vector).toHaveLength(256);
    expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5);
  });
});
