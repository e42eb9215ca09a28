import type { SearchHit } from "@corral/protocol";
import type { Store, StoredChunk } from "../store/store.ts";
import type { Retrieval } from "./retrieval.ts";

/** Retrieval by words: the store's BM25 index. */
export function createRetrieval({ store }: { store: Pick<Store, "index"> }): Retrieval {
  return {
    async search(query, sources, limit, signal) {
      signal?.throwIfAborted();
      const found = await store.index.search(query, sources, limit);
      signal?.throwIfAborted();
      return found.map(({ chunk, score }) => searchHit(chunk, score));
    },
  };
}

function searchHit(chunk: StoredChunk, score: number): SearchHit {
  const { id, documentId, document, collectionId, headingPath, text, spans } = chunk;
  const page = chunk.paged ? (spans[0]?.page ?? null) : null;
  return { chunkId: id, documentId, document, collectionId, page, headingPath, text, spans, score };
}
