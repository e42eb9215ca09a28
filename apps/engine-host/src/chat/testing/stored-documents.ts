import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sources } from "@corral/protocol";
import { openStore } from "../../store/open-store.ts";
import type { ChunkContent, PageContent, Store } from "../../store/store.ts";

/** A real store in a folder of its own; disposing of it removes the folder. */
export async function temporaryStore(): Promise<{ store: Store; directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "corral-chat-"));
  const store = await openStore(directory);
  return {
    store,
    directory,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Stores documents as ingestion would: each paragraph a page and a chunk. Answers the collection that holds them. */
export async function storeDocuments(
  store: Store,
  documents: { name: string; language?: string; paragraphs: string[] }[],
): Promise<Sources> {
  const collection = await store.collections.create(`Collection ${(await store.collections.list()).length + 1}`);
  for (const { name, language = "en", paragraphs } of documents) {
    const document = await store.documents.create({
      collectionId: collection.id,
      name,
      format: "pdf",
      file: { path: `/nowhere/${name}`, owned: false, sha256: name, bytes: 1 },
    });
    const pages = paragraphs.map((text, at): PageContent => ({
      page: at + 1,
      text,
      width: 595,
      height: 842,
      lines: [],
    }));
    const chunks = paragraphs.map((text, at): ChunkContent => ({
      text,
      headingPath: [],
      spans: [{ page: at + 1, start: 0, end: text.length }],
      tokenEstimate: Math.ceil(text.length / 4),
    }));
    await store.documents.saveContent(document.id, { title: null, language, paged: true, pages, chunks });
  }
  return { collectionIds: [collection.id], documentIds: [] };
}
