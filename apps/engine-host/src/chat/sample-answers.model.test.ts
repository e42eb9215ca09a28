import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Message } from "@corral/protocol";
import { createLlamaEngine } from "../engines/llama-engine.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { createLibrary } from "../ingestion/create-library.ts";
import { openLogger } from "../logger.ts";
import { createModels } from "../models/create-models.ts";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import { noMcp } from "./testing/no-mcp.ts";
import { createChat } from "./create-chat.ts";
import { temporaryStore } from "./testing/stored-documents.ts";

const resources = join(import.meta.dirname, "../../../../resources");
const samples = join(resources, "samples");
const forever = new AbortController().signal;

/** What a sample question should be answered with; page null where the format has none. */
interface SampleQuestion {
  question: string;
  document: string;
  page: number | null;
  sentence: string;
}

async function sampleQuestions(): Promise<SampleQuestion[]> {
  const inside = join(samples, "questions.json");
  const file = existsSync(inside) ? inside : join(resources, "sample-questions.json");
  return JSON.parse(await readFile(file, "utf8")) as SampleQuestion[];
}

it("answers the samples' own questions from the files that ship, each citation on its page", async () => {
  await using home = await temporaryStore();
  const { store, directory } = home;
  const logger = openLogger({ directory: null, stderr: null });
  await using library = await createLibrary({ store, dataDirectory: directory });
  await using models = createModels({
    store,
    engine: createLlamaEngine({ logger }),
    hardware: createHardware({ diskPath: directory }),
    logger,
    embeddedModelPath: join(resources, "reader-model/corral-reader-q8_0.gguf"),
  });
  await using chat = createChat({ mcp: noMcp, store, retrieval: createRetrieval({ store }), models, logger });

  const questions = await sampleQuestions();
  const collection = await library.createCollection("Samples");
  const wanted = [...new Set(questions.map(({ document }) => join(samples, document)))];
  await library.addPaths(collection.id, wanted);
  await expect
    .poll(async () => (await library.documents(collection.id)).map(({ state }) => state), { timeout: 60_000 })
    .toEqual(wanted.map(() => "ready"));

  const { id } = await chat.create({ sources: { collectionIds: [collection.id], documentIds: [] } });
  const missed: string[] = [];
  for (const { question, document, page, sentence } of questions) {
    const { reply } = await chat.send(id, question);
    let answer: Message = reply;
    for await (const part of chat.follow(reply.id, forever)) if (part.type === "finish") answer = part.message;
    const [citation] = answer.citations;
    if (citation?.quote !== sentence) {
      missed.push(`${question} → ${answer.text}`);
      continue;
    }
    expect(citation).toMatchObject({ document, page, support: "verbatim" });
    const [span] = citation.spans;
    const shown = await store.pages.get(citation.documentId, span!.page);
    const marked = citation.spans.map(({ start, end }) => shown!.text.slice(start, end)).join(" ");
    expect(marked.replace(/\s+/gu, " ")).toBe(sentence);
  }
  expect(missed.length / questions.length, missed.join("\n")).toBeLessThanOrEqual(0.15);
});
