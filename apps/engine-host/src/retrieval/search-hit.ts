import type { HitLegs, SearchHit } from "@corral/protocol";
import type { StoredChunk } from "../store/store.ts";

/** A chunk as it is shown to people and models. The page counts only where pages mean something. */
export function searchHit(chunk: StoredChunk, score: number, legs: HitLegs): SearchHit {
  const { id, documentId, document, collectionId, headingPath, text, spans, label } = chunk;
  const page = chunk.paged ? (spans[0]?.page ?? null) : null;
  const place = label === undefined ? { page } : { page, label };
  return { chunkId: id, documentId, document, collectionId, ...place, headingPath, text, spans, score, legs };
}
