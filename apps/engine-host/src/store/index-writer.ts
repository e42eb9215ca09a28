import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { postingTable } from "./posting-blocks.ts";
import { packRows } from "./pages.ts";
import type { ChunkContent, PageContent } from "./store.ts";
import { SegmentDraft } from "./segment-draft.ts";
import { type Segments, segments } from "./segments.ts";
import { vectorWriter } from "./vector-writer.ts";

/** What is indexed with each chunk of a document: who it belongs to and what its title is. */
export interface IndexedDocument {
  key: number;
  collectionKey: number;
  /** Put in front of each chunk, with the chunk's headings. */
  title: string;
  language: string | null;
}

/** Changes pages, chunks and everything that makes them findable; every method runs inside the caller's transaction. */
export interface IndexWriter {
  /** Puts pages and chunks in place of what the document had. */
  replaceContent(document: IndexedDocument, pages: PageContent[], chunks: ChunkContent[]): void;
  removeContent(documentKeys: number[]): void;
  /** Runs `work`; what it stores becomes findable at its end, all in one segment, rather than each document in its own. */
  together<Result>(work: () => Result): Result;
  /** Makes all terms anew from the stored chunks. @param progress called now and then, with numbers of chunks */
  reindex(progress: (done: number, total: number) => void): void;
}

export function indexWriter(database: DatabaseSync, index: Segments = segments(database)): IndexWriter {
  const insertPage = database.prepare(
    `INSERT INTO pages (document_key, page, text, width, height, lines, label, table_rows)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertChunk = database.prepare(
    `INSERT INTO chunks (document_key, ordinal, heading_path, text, spans, token_estimate) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const postings = postingTable(database);
  const vectors = vectorWriter(database);
  const deleteChunks = database.prepare("DELETE FROM chunks WHERE document_key = ?");
  const deletePages = database.prepare("DELETE FROM pages WHERE document_key = ?");
  const chunkKeys = database.prepare("SELECT key FROM chunks WHERE document_key = ? ORDER BY key");
  const storedChunks = database.prepare(
    `SELECT chunks.key, document_key AS documentKey, heading_path AS headingPath, text, name, title, language
     FROM chunks JOIN documents ON documents.key = document_key WHERE chunks.key > ? ORDER BY chunks.key LIMIT 1000`,
  );
  const chunkCount = database.prepare("SELECT count(*) AS chunks FROM chunks");
  const addTotals = database.prepare("UPDATE index_totals SET chunks = chunks + ?, terms = terms + ?");

  /** Chunks that are stored but not in the index yet; none while nothing runs `together`. */
  const draft = new SegmentDraft();
  let isTogether = false;

  /** Adds a chunk to the draft, making a segment of what is there when it gets large. */
  function addToDraft(key: number, documentKey: number, text: string, language: string | null): void {
    if (draft.keys.length >= DRAFT_CHUNKS || !draft.hasRoomFor(text.length)) finishDraft();
    draft.add(key, documentKey, text, language);
  }

  /** Makes a segment of the draft. */
  function finishDraft(): void {
    if (draft.keys.length === 0) return;
    const id = index.add({
      keys: Float64Array.from(draft.keys),
      documents: Uint32Array.from(draft.documents),
      lengths: Uint32Array.from(draft.lengths),
    });
    draft.write(postings.writer(id));
    addTotals.run(
      draft.keys.length,
      draft.lengths.reduce((sum, length) => sum + length, 0),
    );
    draft.clear();
  }

  function removeContent(documentKeys: number[]): void {
    vectors.removeDocuments(documentKeys);
    for (const documentKey of documentKeys) {
      const keys = rows<{ key: number }>(chunkKeys, documentKey).map(({ key }) => key);
      // Keys rise, so a document of the draft has its last chunk there.
      if (draft.keys.length > 0 && keys.length > 0 && keys.at(-1)! >= draft.keys[0]!) finishDraft();
      for (let i = 0; i < keys.length;) {
        const segment = index.holding(keys[i]!);
        if (!segment) throw new Error(`The search index does not know chunk ${keys[i]!}.`);
        const numbers: number[] = [];
        for (let number = placeOf(segment.keys, keys[i]!); i < keys.length; i++, number++) {
          // The chunks of a document lie side by side.
          if (segment.keys[number] !== keys[i]) break;
          numbers.push(number);
        }
        const terms = index.delete(segment, numbers);
        addTotals.run(-numbers.length, -terms);
        if (segment.deletedChunks + numbers.length === segment.keys.length) index.drop([segment.id]);
      }
      deleteChunks.run(documentKey);
      deletePages.run(documentKey);
    }
  }

  return {
    removeContent,
    replaceContent(document, pages, chunks) {
      removeContent([document.key]);
      for (const page of pages) {
        const { text, width, height, label = null } = page;
        const lines = JSON.stringify(page.lines);
        insertPage.run(document.key, page.page, text, width, height, lines, label, packRows(page.tableRows));
      }
      for (const [ordinal, chunk] of chunks.entries()) {
        const { lastInsertRowid } = insertChunk.run(
          document.key,
          ordinal,
          JSON.stringify(chunk.headingPath),
          chunk.text,
          JSON.stringify(chunk.spans),
          chunk.tokenEstimate,
        );
        const text = indexedText(document.title, chunk.headingPath, chunk.text);
        addToDraft(Number(lastInsertRowid), document.key, text, document.language);
      }
      if (!isTogether) finishDraft();
    },
    together(work) {
      isTogether = true;
      try {
        const result = work();
        finishDraft();
        return result;
      } catch (error) {
        draft.clear();
        throw error;
      } finally {
        isTogether = false;
      }
    },
    reindex(progress) {
      database.exec(`
        DELETE FROM postings_deleted;
        DELETE FROM postings_segments;
        DELETE FROM postings_garbage;
        DELETE FROM postings;
        UPDATE index_totals SET chunks = 0, terms = 0;
      `);
      const total = row<{ chunks: number }>(chunkCount)!.chunks;
      let done = 0;
      for (let last = 0; ;) {
        const found = rows<StoredChunkRow>(storedChunks, last);
        for (const { key, documentKey, headingPath, text, name, title, language } of found) {
          const whole = indexedText(indexedTitle(title, name), JSON.parse(headingPath) as string[], text);
          addToDraft(key, documentKey, whole, language);
          last = key;
        }
        done += found.length;
        if (found.length === 0) break;
        progress(done, total);
      }
      finishDraft();
    },
  };
}

/** Chunks of a segment that is made at once: few enough to build in memory (about 5 kB each). */
const DRAFT_CHUNKS = 16_384;

interface StoredChunkRow {
  key: number;
  documentKey: number;
  headingPath: string;
  text: string;
  name: string;
  title: string | null;
  language: string | null;
}

/** What a chunk is found by: its document's title, its headings and its text. */
export function indexedText(title: string, headingPath: string[], text: string): string {
  return [title, ...headingPath, text].join("\n");
}

/** The place of a value in a rising array that holds it. */
function placeOf(rising: Float64Array, value: number): number {
  let low = 0;
  for (let high = rising.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The title a document is found by: its own, or its file name without the ending. */
export function indexedTitle(title: string | null, name: string): string {
  return title ?? name.replace(/\.[^.]{1,8}$/, "");
}
