import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { createLibrary } from "./create-library.ts";
import type { Library } from "./library.ts";

interface SampleQuestion {
  question: string;
  document: string;
  page: number | null;
  sentence: string;
}

const resources = join(import.meta.dirname, "../../../../resources");
const questions = JSON.parse(await readFile(join(resources, "sample-questions.json"), "utf8")) as SampleQuestion[];

let directory: string;
let store: Store;
let library: Library;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "corral-samples-"));
  store = await openStore(directory, () => {});
  library = await createLibrary({ store, dataDirectory: directory });
  const { id } = await library.createCollection("Samples");
  await library.addPaths(id, [join(resources, "samples")]);
  while ((await library.documents()).some(({ state }) => state !== "ready" && state !== "failed")) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}, 60_000);

afterAll(async () => {
  await library[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe("the sample documents", () => {
  it("are all read, and each has a title, English text and a question", async () => {
    const names = await readdir(join(resources, "samples"));
    const documents = await library.documents();
    expect(documents.map(({ name, state, language }) => [name, state, language]).sort()).toEqual(
      names.sort().map((name) => [name, "ready", "en"]),
    );
    for (const { title } of documents) expect(title).toBeTruthy();
    for (const name of names) expect(questions.some(({ document }) => document === name)).toBe(true);
  });

  it.each(questions)("answer in one sentence: $question", async ({ question, document, page, sentence }) => {
    const [best] = await store.index.search(question, null, 3);
    expect(best!.chunk.document).toBe(document);
    expect(best!.chunk.text).toContain(sentence);
    const [span] = best!.chunk.spans;
    expect(best!.chunk.paged ? span!.page : null).toBe(page);
    const view = await library.page(best!.chunk.documentId, span!.page, [span!]);
    expect(view.text.slice(span!.start, span!.end)).toContain(sentence);
    if (page !== null) expect(view.boxes.length).toBeGreaterThan(0);
  });
});
