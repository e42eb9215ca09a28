import type { DatabaseSync } from "node:sqlite";
import { row } from "./database.ts";
import { hashOf, postingTable } from "./posting-blocks.ts";
import { documentScope } from "./scope.ts";
import { holders, type PostingList, scoreChunks, type SegmentPostings } from "./score.ts";
import { type Segment, segments } from "./segments.ts";
import type { IndexTable } from "./store.ts";
import { storedChunks } from "./stored-chunks.ts";
import { queryTerms } from "./terms.ts";
import type { Synchronous } from "./thread-messages.ts";

/** Distinct words of a query that count; what a pasted page holds beyond them is left out. */
const QUERY_WORDS = 256;

/** Finding chunks by words: BM25 over the ready documents. */
export function searchIndex(database: DatabaseSync): Synchronous<IndexTable> {
  const postings = postingTable(database);
  const totals = database.prepare("SELECT chunks, terms FROM index_totals");
  const scopeOf = documentScope(database);
  const chunkOf = storedChunks(database);
  const index = segments(database);

  /** The segments with the postings of the query's words; of words that nothing holds there are none. */
  function lookUp(query: string): SegmentPostings[] {
    const found: SegmentPostings[] = index.list().map((size) => ({ segment: index.load(size), words: [] }));
    let known = 0;
    for (const terms of queryTerms(query)) {
      const lists = found.map(({ segment }) => listsOf(segment, terms));
      if (lists.every((ofSegment) => ofSegment.length === 0)) continue;
      for (const [i, { words }] of found.entries()) words.push(lists[i]!);
      if (++known === QUERY_WORDS) break;
    }
    return known === 0 ? [] : found;
  }

  function listsOf(segment: Segment, terms: string[]): PostingList[] {
    return terms.flatMap((term) => postings.find(segment.id, term, hashOf(term)) ?? []);
  }

  return {
    search(query, sources, limit) {
      const found = lookUp(query);
      if (found.length === 0) return [];
      const { chunks, terms } = row<{ chunks: number; terms: number }>(totals)!;
      const options = { limit, chunks, averageLength: terms / chunks, isInScope: scopeOf(sources) };
      return scoreChunks(found, options).map(({ key, score }) => ({
        chunk: chunkOf.byKey(key)!,
        score,
      }));
    },
    chunk: (id) => chunkOf.byId(id),
    idf(terms) {
      const { chunks } = row<{ chunks: number }>(totals)!;
      const all = index.list().map((size) => index.load(size));
      return terms.map((term) => {
        let held = 0;
        for (const segment of all) for (const list of listsOf(segment, [term])) held += holders(segment, list);
        return Math.log((chunks + 1) / (held + 1));
      });
    },
  };
}
