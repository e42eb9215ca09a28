import type { DatabaseSync } from "node:sqlite";
import type { Sources } from "@corral/protocol";
import { row, rows } from "./database.ts";
import { collectionScope, documentScope } from "./index-writer.ts";
import { scoreChunks, type QueryWord } from "./score.ts";
import type { IndexTable, StoredChunk } from "./store.ts";
import { queryTerms } from "./terms.ts";
import type { Synchronous } from "./thread-messages.ts";

/** Up to so many chunks in scope are all scored, with all words of the query: about 10 ms. */
const SCORE_ALL_CHUNKS = 1000;

/**
 * Postings FTS5 may rank for one query. Ranking costs about 0.9 µs each (measured, 100,000 chunks), and an OR is linear in
 * them, so the rarest words are looked up first until this is spent.
 */
const POSTINGS_BUDGET = 20_000;

/** So many words are looked up even if they cost up to twice the budget. */
const LEAST_WORDS = 3;

/** Chunks that FTS5 hands over to be scored with all words. */
const CANDIDATES = 200;

/** Distinct words of a query that count; what a pasted page holds beyond them is left out. */
const QUERY_WORDS = 256;

interface ChunkRow extends Omit<StoredChunk, "id" | "headingPath" | "spans" | "paged"> {
  headingPath: string;
  spans: string;
  paged: number;
}

/** Finding chunks by words: BM25 over the ready documents. */
export function searchIndex(database: DatabaseSync): Synchronous<IndexTable> {
  const frequency = database.prepare("SELECT chunks FROM term_frequencies WHERE term = ?");
  const totals = database.prepare("SELECT chunks, terms FROM index_totals");
  const select = `
    SELECT documents.id AS documentId, collections.id AS collectionId, documents.name AS document, paged, title, language,
      ordinal, heading_path AS headingPath, text, spans, token_estimate AS tokenEstimate
    FROM chunks
    JOIN documents ON documents.key = chunks.document_key
    JOIN collections ON collections.key = documents.collection_key`;
  const chunkByKey = database.prepare(`${select} WHERE chunks.key = ?`);
  const chunkByPlace = database.prepare(`${select} WHERE documents.id = ? AND ordinal = ?`);
  const scopeOfSources = database.prepare(
    `SELECT documents.key, chunk_count AS chunks FROM documents
     JOIN collections ON collections.key = documents.collection_key
     WHERE state = 'ready' AND (?1 OR collections.id IN (SELECT value FROM json_each(?2))
       OR documents.id IN (SELECT value FROM json_each(?3)))`,
  );
  const collectionKey = database.prepare("SELECT key FROM collections WHERE id = ?");
  const documentKey = database.prepare("SELECT key FROM documents WHERE id = ?");
  const termsInScope = database.prepare(
    `SELECT chunk_key AS key, length, terms FROM chunk_terms
     WHERE chunk_key IN (SELECT key FROM chunks WHERE document_key IN (SELECT value FROM json_each(?)))`,
  );
  const termsOfCandidates = database.prepare(
    `WITH candidates AS MATERIALIZED (
       SELECT rowid AS key FROM chunk_search WHERE chunk_search MATCH ? ORDER BY bm25(chunk_search, 1, 0) LIMIT ?
     )
     SELECT candidates.key, length, terms FROM candidates
     JOIN chunk_terms ON chunk_terms.chunk_key = candidates.key
     JOIN chunks ON chunks.key = candidates.key
     JOIN documents ON documents.key = chunks.document_key
     WHERE documents.state = 'ready'`,
  );

  const frequencyOf = (term: string) => row<{ chunks: number }>(frequency, term)?.chunks ?? 0;

  function wordsOf(query: string): QueryWord[] {
    const found: QueryWord[] = [];
    for (const alternatives of queryTerms(query)) {
      const known = alternatives
        .map((term) => ({ term, chunks: frequencyOf(term) }))
        .filter(({ chunks }) => chunks > 0);
      if (known.length > 0)
        found.push({
          terms: known.map(({ term }) => term),
          chunks: known.reduce((sum, { chunks }) => sum + chunks, 0),
        });
      if (found.length === QUERY_WORDS) break;
    }
    return found.sort((a, b) => a.chunks - b.chunks);
  }

  /** The scope tokens of the sources; null: no limit. */
  function scopeTokens(sources: Sources | null): string[] | null {
    if (!sources) return null;
    const collections = sources.collectionIds.map((id) => row<{ key: number }>(collectionKey, id));
    const documents = sources.documentIds.map((id) => row<{ key: number }>(documentKey, id));
    return [
      ...collections.flatMap((found) => (found ? [collectionScope(found.key)] : [])),
      ...documents.flatMap((found) => (found ? [documentScope(found.key)] : [])),
    ];
  }

  function candidates(words: QueryWord[], sources: Sources | null): { key: number; length: number; terms: string }[] {
    const inScope = rows<{ key: number; chunks: number }>(
      scopeOfSources,
      sources ? 0 : 1,
      JSON.stringify(sources?.collectionIds ?? []),
      JSON.stringify(sources?.documentIds ?? []),
    );
    const chunks = inScope.reduce((sum, document) => sum + document.chunks, 0);
    if (chunks <= SCORE_ALL_CHUNKS) return rows(termsInScope, JSON.stringify(inScope.map(({ key }) => key)));
    const scope = scopeTokens(sources);
    const match =
      `terms : (${anyOf(withinBudget(words).flatMap(({ terms }) => terms))})` +
      (scope ? ` AND scope : (${anyOf(scope)})` : "");
    return rows(termsOfCandidates, match, CANDIDATES);
  }

  return {
    search(query, sources, limit) {
      const words = wordsOf(query);
      if (words.length === 0) return [];
      const { chunks, terms } = row<{ chunks: number; terms: number }>(totals)!;
      const statistics = { chunks, averageLength: terms / chunks };
      return scoreChunks(words, candidates(words, sources), statistics)
        .slice(0, limit)
        .map(({ key, score }) => ({ chunk: storedChunk(row<ChunkRow>(chunkByKey, key)!), score }));
    },
    chunk(id) {
      const place = /^(.+)\.(\d{1,9})$/.exec(id);
      const found = place && row<ChunkRow>(chunkByPlace, place[1]!, Number(place[2]));
      return found ? storedChunk(found) : null;
    },
    idf(terms) {
      const { chunks } = row<{ chunks: number }>(totals)!;
      return terms.map((term) => Math.log((chunks + 1) / (frequencyOf(term) + 1)));
    },
  };
}

/** The rarest words whose postings fit the budget together; `words` come rarest first. */
function withinBudget(words: QueryWord[]): QueryWord[] {
  let postings = 0;
  const chosen: QueryWord[] = [];
  for (const word of words) {
    postings += word.chunks;
    const limit = chosen.length < LEAST_WORDS ? 2 * POSTINGS_BUDGET : POSTINGS_BUDGET;
    if (chosen.length > 0 && postings > limit) break;
    chosen.push(word);
  }
  return chosen;
}

/** An FTS5 expression. Terms hold letters, marks and digits only, so quoting them is enough. */
function anyOf(terms: string[]): string {
  return terms.map((term) => `"${term}"`).join(" OR ");
}

function storedChunk(found: ChunkRow): StoredChunk {
  return {
    ...found,
    id: `${found.documentId}.${found.ordinal}`,
    paged: found.paged === 1,
    headingPath: JSON.parse(found.headingPath) as string[],
    spans: JSON.parse(found.spans) as StoredChunk["spans"],
  };
}
