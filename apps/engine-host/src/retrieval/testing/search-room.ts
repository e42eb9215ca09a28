import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../store/open-store.ts";
import type { Store } from "../../store/store.ts";
import { TextModels } from "./text-models.ts";

/** A real store in a folder of its own, and models that a test commands. */
export interface SearchRoom extends AsyncDisposable {
  readonly store: Store;
  readonly texts: TextModels;
  readonly collectionId: string;
  /** Stores a document of these chunks. */
  add(name: string, ...chunks: string[]): Promise<string>;
}

export async function openSearchRoom(): Promise<SearchRoom> {
  const directory = mkdtempSync(join(tmpdir(), "corral-retrieval-"));
  const store = await openStore(directory, () => {});
  const { id: collectionId } = await store.collections.create("c");
  return {
    store,
    texts: new TextModels(),
    collectionId,
    async add(name, ...chunks) {
      const file = { path: name, owned: false, sha256: name, bytes: 1 };
      const { id } = await store.documents.create({ collectionId, name, format: "text", file });
      await store.documents.saveContent(id, {
        title: name,
        language: "en",
        paged: false,
        pages: [],
        chunks: chunks.map((text) => ({ text, headingPath: [], spans: [], tokenEstimate: 6 })),
      });
      return id;
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits for something to become true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
