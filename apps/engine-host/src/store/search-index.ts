import type { DatabaseSync } from "node:sqlite";
import type { Sources } from "@corral/protocol";
import { row, rows } from "./database.ts";
import { holders, type PostingList, scoreChunks, type SegmentPostings } from "./score.ts";
import { type Segment, segments } from "./segments.ts";
import type { IndexTable, StoredChunk } from "./store.ts";
import { queryTerms } from "./terms.ts";
import type { Synchronous } from "./thread-messages.ts";

/** Distinct words of a query that count; what a pasted page holds beyond them is left out. */
const QUERY_WORDS = 256;

interface ChunkRow extends Omit<StoredChunk, "id" | "headingPath" | "spans" | "paged"> {
  headingPath: string;
  spans: string;
  paged: number;
}

/** Finding chunks by words: BM25 over the ready documents. */
export function searchIndex(database: DatabaseSync): Synchronous<IndexTable> {
  const postings = database.prepare("SELECT chunks, list FROM postings WHERE segment = ? AND term = ?");
  const totals = database.prepare("SELECT chunks, terms FROM index_totals");
  const select = `
    SELECT documents.id AS documentId, collections.id AS collectionId, documents.name AS document, paged, title, language,
      ordinal, heading_path AS headingPath, text, spans, token_estimate AS tokenEstimate
    FROM chunks
    JOIN documents ON documents.key = chunks.document_key
    JOIN collections ON collections.key = documents.collection_key`;
  const chunkByKey = database.prepare(`${select} WHERE chunks.key = ?`);
  const chunkByPlace = database.prepare(`${select} WHERE documents.id = ? AND ordinal = ?`);
  const documentsOfSources = database.prepare(
    `SELECT documents.key FROM documents JOIN collections ON collections.key = documents.collection_key
     WHERE state = 'ready' AND (collections.id IN (SELECT value FROM json_each(?1))
       OR documents.id IN (SELECT value FROM json_each(?2)))`,
  );
  const hiddenDocuments = database.prepare("SELECT key FROM documents WHERE state != 'ready' AND chunk_count > 0");
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
    return terms.flatMap((term) => row<PostingList>(postings, segment.id, term) ?? []);
  }

  /** Tells of a document whether it may be found. */
  function scopeOf(sources: Sources | null): (documentKey: number) => boolean {
    const keysOf = (found: { key: number }[]) => new Set(found.map(({ key }) => key));
    if (!sources) {
      const hidden = keysOf(rows(hiddenDocuments));
      return (key) => !hidden.has(key);
    }
    const { collectionIds, documentIds } = sources;
    const wanted = keysOf(rows(documentsOfSources, JSON.stringify(collectionIds), JSON.stringify(documentIds)));
    return (key) => wanted.has(key);
  }

  return {
    search(query, sources, limit) {
      const found = lookUp(query);
      if (found.length === 0) return [];
      const { chunks, terms } = row<{ chunks: number; terms: number }>(totals)!;
      const options = { limit, chunks, averageLength: terms / chunks, isInScope: scopeOf(sources) };
      return scoreChunks(found, options).map(({ key, score }) => ({
        chunk: storedChunk(row<ChunkRow>(chunkByKey, key)!),
        score,
      }));
    },
    chunk(id) {
      const place = /^(.+)\.(\d{1,9})$/.exec(id);
      const found = place && row<ChunkRow>(chunkByPlace, place[1]!, Number(place[2]));
      return found ? storedChunk(found) : null;
    },
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

function storedChunk(found: ChunkRow): StoredChunk {
  return {
    ...found,
    id: `${found.documentId}.${found.ordinal}`,
    paged: found.paged === 1,
    headingPath: JSON.parse(found.headingPath) as string[],
    spans: JSON.parse(found.spans) as StoredChunk["spans"],
  };
}
