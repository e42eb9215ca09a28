import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { hashOf, postingTable } from "./posting-blocks.ts";
import { parseQuery, plainQuery, type SearchQuery } from "./query.ts";
import { queryConstraints } from "./query-constraints.ts";
import { documentScope, type DocumentScope } from "./scope.ts";
import { holders, type PostingList, scoreChunks, type SegmentPostings } from "./score.ts";
import { type Segment, segments } from "./segments.ts";
import type { IndexTable } from "./store.ts";
import { storedChunks } from "./stored-chunks.ts";
import { queryTerms, wordsOf } from "./terms.ts";
import type { Synchronous } from "./thread-messages.ts";

/** Distinct words of a query that count; what a pasted page holds beyond them is left out. */
const QUERY_WORDS = 256;
/** How many times more chunks are ranked than are wanted while their text has to be looked at, at first and at most. */
const LOOKED_AT = 4;
const MOST_LOOKED_AT = 4 ** 6;
/** Counts of holders that are remembered, of lists long enough that counting takes a while. */
const REMEMBERED_COUNTS = 10_000;
const LONG_LIST = 256;

type Hits = ReturnType<Synchronous<IndexTable>["search"]>;

/** Finding chunks by words: BM25 over the ready documents. */
export function searchIndex(database: DatabaseSync): Synchronous<IndexTable> {
  const postings = postingTable(database);
  const totals = database.prepare("SELECT chunks, terms FROM index_totals");
  const firstChunks = database.prepare(
    `SELECT chunks.key, document_key AS documentKey FROM chunks JOIN documents ON documents.key = document_key
     WHERE ordinal = 0 AND state = 'ready' ORDER BY document_key DESC`,
  );
  const scopeOf = documentScope(database);
  const constraintsOf = queryConstraints(database);
  const chunkOf = storedChunks(database);
  const index = segments(database);
  /** Of segments with deleted chunks: how many others hold a term. */
  const counted = new Map<string, number>();

  /** The segments with the postings of the query's words, and how many chunks hold each; of words nothing holds, none. */
  function lookUp({ plain, phrases }: SearchQuery): { found: SegmentPostings[]; held: number[] } {
    const phraseWords = queryTerms(phrases.join(" ")).slice(0, QUERY_WORDS);
    const found: SegmentPostings[] = index.list().map((size) => {
      const segment = index.load(size);
      const required = phrases.length > 0 ? phraseWords.map((terms) => listsOf(segment, terms)) : null;
      return { segment, words: [], required };
    });
    const held: number[] = [];
    for (const terms of queryTerms(plain)) {
      const lists = found.map(({ segment }) => listsOf(segment, terms));
      if (lists.every((ofSegment) => ofSegment.length === 0)) continue;
      for (const [i, { words }] of found.entries()) words.push(lists[i]!);
      held.push(found.reduce((sum, { segment }, i) => sum + holdersOf(segment, terms, lists[i]!), 0));
      if (held.length === QUERY_WORDS) break;
    }
    return { found, held };
  }

  function listsOf(segment: Segment, terms: string[]): PostingList[] {
    return terms.flatMap((term) => postings.find(segment.id, term, hashOf(term)) ?? []);
  }

  /** How many chunks hold a word, counting each term by itself; `lists` are those of its terms that the segment has. */
  function holdersOf(segment: Segment, terms: string[], lists: PostingList[]): number {
    if (segment.deleted === null || lists.every(({ chunks }) => chunks < LONG_LIST))
      return lists.reduce((sum, list) => sum + holders(segment, list), 0);
    const key = `${segment.id} ${segment.deletedChunks} ${terms.join(" ")}`;
    let count = counted.get(key);
    if (count === undefined) {
      count = lists.reduce((sum, list) => sum + holders(segment, list), 0);
      if (counted.size >= REMEMBERED_COUNTS) counted.clear();
      counted.set(key, count);
    }
    return count;
  }

  function rank(query: SearchQuery, isInScope: DocumentScope, limit: number): { key: number; score: number }[] {
    const { found, held } = lookUp(query);
    if (held.length === 0) return [];
    const { chunks, terms } = row<{ chunks: number; terms: number }>(totals)!;
    return scoreChunks(found, { limit, chunks, averageLength: terms / chunks, holders: held, isInScope });
  }

  /** The beginnings of documents, the newest first: what there is to show where only fields are asked for. */
  function beginnings(isInScope: DocumentScope): { key: number; score: number }[] {
    return rows<{ key: number; documentKey: number }>(firstChunks)
      .filter(({ documentKey }) => isInScope(documentKey))
      .map(({ key }) => ({ key, score: 0 }));
  }

  return {
    search(text, sources, limit, options = {}) {
      const query = options.syntax ? parseQuery(text) : plainQuery(text);
      const constraints = constraintsOf(query);
      const inSources = scopeOf(sources);
      const isInScope: DocumentScope = (key) => inSources(key) && constraints.documents(key);
      const hitsOf = (ranked: { key: number; score: number }[]): Hits => {
        const hits: Hits = [];
        for (const { key, score } of ranked) {
          if (hits.length === limit) break;
          const chunk = chunkOf.byKey(key)!;
          if (constraints.accepts(chunk)) hits.push({ chunk, score });
        }
        return hits;
      };
      if (query.fields.length > 0 && wordsOf(query.plain).length === 0) return hitsOf(beginnings(isInScope));
      if (!constraints.looksAtText) return hitsOf(rank(query, isInScope, limit));
      for (let factor = LOOKED_AT; ; factor *= LOOKED_AT) {
        const ranked = rank(query, isInScope, limit * factor);
        const hits = hitsOf(ranked);
        if (hits.length === limit || ranked.length < limit * factor || factor >= MOST_LOOKED_AT) return hits;
      }
    },
    chunk: (id) => chunkOf.byId(id),
    chunksOf: (sources, tokenLimit) => chunkOf.ofSources(sources, tokenLimit),
    idf(terms) {
      const { chunks } = row<{ chunks: number }>(totals)!;
      const all = index.list().map((size) => index.load(size));
      return terms.map((term) => {
        const held = all.reduce((sum, segment) => sum + holdersOf(segment, [term], listsOf(segment, [term])), 0);
        return Math.log((chunks + 1) / (held + 1));
      });
    },
  };
}
