import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import type { ChunkContent, PageContent } from "./store.ts";
import { termsOf } from "./terms.ts";

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
  /** Makes all terms anew from the stored chunks. @param progress called after each document */
  reindex(progress: (done: number, total: number) => void): void;
}

export function indexWriter(database: DatabaseSync): IndexWriter {
  const insertPage = database.prepare(
    "INSERT INTO pages (document_key, page, text, width, height, lines) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const insertChunk = database.prepare(
    `INSERT INTO chunks (document_key, ordinal, heading_path, text, spans, token_estimate) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const insertTerms = database.prepare("INSERT INTO chunk_terms (chunk_key, length, terms) VALUES (?, ?, ?)");
  const insertSearch = database.prepare("INSERT INTO chunk_search (rowid, terms, scope) VALUES (?, ?, ?)");
  const deleteSearch = database.prepare("DELETE FROM chunk_search WHERE rowid = ?");
  const deleteTerms = database.prepare("DELETE FROM chunk_terms WHERE chunk_key = ?");
  const deleteChunks = database.prepare("DELETE FROM chunks WHERE document_key = ?");
  const deletePages = database.prepare("DELETE FROM pages WHERE document_key = ?");
  const termsOfDocument = database.prepare(
    `SELECT chunk_key AS key, length, terms FROM chunk_terms
     WHERE chunk_key IN (SELECT key FROM chunks WHERE document_key = ?)`,
  );
  const chunksOfDocument = database.prepare(
    "SELECT key, heading_path AS headingPath, text FROM chunks WHERE document_key = ? ORDER BY ordinal",
  );
  const documents = database.prepare(
    `SELECT key, collection_key AS collectionKey, name, title, language FROM documents
     WHERE key IN (SELECT document_key FROM chunks) ORDER BY key`,
  );
  const addFrequency = database.prepare(
    `INSERT INTO term_frequencies (term, chunks) VALUES (?, ?)
     ON CONFLICT (term) DO UPDATE SET chunks = chunks + excluded.chunks`,
  );
  const takeFrequency = database.prepare(
    "UPDATE term_frequencies SET chunks = chunks - ? WHERE term = ? RETURNING chunks",
  );
  const deleteFrequency = database.prepare("DELETE FROM term_frequencies WHERE term = ?");
  const addTotals = database.prepare("UPDATE index_totals SET chunks = chunks + ?, terms = terms + ?");

  /** Indexes chunks that are stored; counts each term once per chunk. */
  function index(document: IndexedDocument, chunks: { key: number; headingPath: string[]; text: string }[]): void {
    const frequencies = new Map<string, number>();
    const scope = `${collectionScope(document.collectionKey)} ${documentScope(document.key)}`;
    let length = 0;
    for (const chunk of chunks) {
      const terms = termsOf([document.title, ...chunk.headingPath, chunk.text].join("\n"), document.language);
      const line = terms.join(" ");
      insertTerms.run(chunk.key, terms.length, line);
      insertSearch.run(chunk.key, line, scope);
      count(frequencies, terms);
      length += terms.length;
    }
    for (const [term, chunkCount] of frequencies) addFrequency.run(term, chunkCount);
    addTotals.run(chunks.length, length);
  }

  function removeContent(documentKeys: number[]): void {
    const frequencies = new Map<string, number>();
    let chunkCount = 0;
    let length = 0;
    for (const documentKey of documentKeys) {
      for (const chunk of rows<{ key: number; length: number; terms: string }>(termsOfDocument, documentKey)) {
        count(frequencies, splitTerms(chunk.terms));
        chunkCount++;
        length += chunk.length;
        deleteSearch.run(chunk.key);
        deleteTerms.run(chunk.key);
      }
      deleteChunks.run(documentKey);
      deletePages.run(documentKey);
    }
    for (const [term, removed] of frequencies)
      if (row<{ chunks: number }>(takeFrequency, removed, term)!.chunks === 0) deleteFrequency.run(term);
    addTotals.run(-chunkCount, -length);
  }

  return {
    removeContent,
    replaceContent(document, pages, chunks) {
      removeContent([document.key]);
      for (const page of pages)
        insertPage.run(document.key, page.page, page.text, page.width, page.height, JSON.stringify(page.lines));
      const stored = chunks.map((chunk, ordinal) => ({
        ...chunk,
        key: Number(
          insertChunk.run(
            document.key,
            ordinal,
            JSON.stringify(chunk.headingPath),
            chunk.text,
            JSON.stringify(chunk.spans),
            chunk.tokenEstimate,
          ).lastInsertRowid,
        ),
      }));
      index(document, stored);
    },
    reindex(progress) {
      database.exec(`
        INSERT INTO chunk_search (chunk_search) VALUES ('delete-all');
        DELETE FROM chunk_terms;
        DELETE FROM term_frequencies;
        UPDATE index_totals SET chunks = 0, terms = 0;
      `);
      const all = rows<Omit<IndexedDocument, "title"> & { name: string; title: string | null }>(documents);
      for (const [done, document] of all.entries()) {
        const chunks = rows<{ key: number; headingPath: string; text: string }>(chunksOfDocument, document.key);
        index(
          { ...document, title: indexedTitle(document.title, document.name) },
          chunks.map((chunk) => ({ ...chunk, headingPath: JSON.parse(chunk.headingPath) as string[] })),
        );
        progress(done + 1, all.length);
      }
    },
  };
}

/** The title a document is found by: its own, or its file name without the ending. */
export function indexedTitle(title: string | null, name: string): string {
  return title ?? name.replace(/\.[^.]{1,8}$/, "");
}

/** The terms of a stored line. */
export function splitTerms(line: string): string[] {
  return line === "" ? [] : line.split(" ");
}

/** Tokens of the `scope` column: what a search is limited to is part of the MATCH, so that the index does the work. */
export function collectionScope(key: number): string {
  return `c${key}`;
}
export function documentScope(key: number): string {
  return `d${key}`;
}

function count(frequencies: Map<string, number>, terms: string[]): void {
  for (const term of new Set(terms)) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
}
