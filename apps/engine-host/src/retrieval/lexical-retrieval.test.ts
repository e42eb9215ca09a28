import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { createRetrieval } from "./lexical-retrieval.ts";

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "corral-retrieval-"));
  store = await openStore(directory);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function add(collectionId: string, name: string, paged: boolean): Promise<string> {
  const file = { path: name, owned: false, sha256: name, bytes: 1 };
  const { id } = await store.documents.create({ collectionId, name, format: paged ? "pdf" : "text", file });
  const spans = [
    { page: 4, start: 10, end: 40 },
    { page: 5, start: 0, end: 9 },
  ];
  const chunks = [{ text: "The valve opens slowly.", headingPath: ["Valves"], spans, tokenEstimate: 6 }];
  await store.documents.saveContent(id, { title: null, language: "en", paged, pages: [], chunks });
  return id;
}

test("hits carry document, first page where pages mean something, and spans", async () => {
  const { id: collectionId } = await store.collections.create("c");
  const pdf = await add(collectionId, "a.pdf", true);
  const text = await add(collectionId, "b.txt", false);
  const hits = await createRetrieval({ store }).search("opening a valve", null, 10);
  const common = {
    collectionId,
    headingPath: ["Valves"],
    text: "The valve opens slowly.",
    spans: [
      { page: 4, start: 10, end: 40 },
      { page: 5, start: 0, end: 9 },
    ],
    score: expect.any(Number),
  };
  expect(hits).toEqual([
    { ...common, chunkId: `${pdf}.0`, documentId: pdf, document: "a.pdf", page: 4 },
    { ...common, chunkId: `${text}.0`, documentId: text, document: "b.txt", page: null },
  ]);
});

test("an aborted search gives nothing", async () => {
  const controller = new AbortController();
  const search = createRetrieval({ store }).search("valve", null, 10, controller.signal);
  controller.abort();
  await expect(search).rejects.toBe(controller.signal.reason);
});
