import type { DatabaseSync } from "node:sqlite";
import { CorralError, type DocumentSummary } from "@corral/protocol";
import { collectionNotFound } from "./collections.ts";
import { row, rows } from "./database.ts";
import { indexedTitle, type IndexWriter } from "./index-writer.ts";
import { pageContent, type PageRow } from "./pages.ts";
import type { ChunkContent, DocumentFile, DocumentTable, UnfinishedDocument } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { uuidv7 } from "./uuid.ts";

interface DocumentRow extends Omit<DocumentSummary, "error" | "paged" | "progress"> {
  error: string | null;
  paged: number;
}

interface ChunkRow extends Omit<ChunkContent, "headingPath" | "spans"> {
  headingPath: string;
  spans: string;
}

interface FileRow extends Omit<DocumentFile, "owned"> {
  owned: number;
}

/** Files that were added, what state reading them is in, and what came of it. */
export function documentTable(database: DatabaseSync, index: IndexWriter): Synchronous<DocumentTable> {
  const select = `
    SELECT documents.id, collections.id AS collectionId, documents.name, title, format, bytes, state, error,
      page_count AS pageCount, paged, chunk_count AS chunkCount, language, added_at AS addedAt
    FROM documents JOIN collections ON collections.key = documents.collection_key`;
  const list = database.prepare(`${select} ORDER BY documents.key`);
  const listOfCollection = database.prepare(`${select} WHERE collections.id = ? ORDER BY documents.key`);
  const byId = database.prepare(`${select} WHERE documents.id = ?`);
  const byHash = database.prepare(`${select} WHERE collections.id = ? AND sha256 = ? ORDER BY documents.key LIMIT 1`);
  const byPath = database.prepare(`${select} WHERE path = ? AND collections.id = ? ORDER BY documents.key`);
  const byStamp = database.prepare(
    `${select} WHERE path = ? AND stamp = ? AND collections.id = ? ORDER BY documents.key DESC LIMIT 1`,
  );
  const relocate = database.prepare("UPDATE documents SET name = ?, path = ?, stamp = ? WHERE id = ?");
  const ownedFiles = database.prepare(
    "SELECT id, path, owned, sha256, bytes FROM documents WHERE owned = 1 ORDER BY key",
  );
  const file = database.prepare("SELECT path, owned, sha256, bytes FROM documents WHERE id = ?");
  const collectionKey = database.prepare("SELECT key FROM collections WHERE id = ?");
  const insert = database.prepare(
    `INSERT INTO documents (id, collection_key, name, format, path, owned, sha256, bytes, stamp, state, paged, added_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?)`,
  );
  const setState = database.prepare("UPDATE documents SET state = ?, error = ? WHERE id = ?");
  const unfinished = database.prepare(
    `SELECT documents.id, collections.id AS collectionId,
       EXISTS (SELECT 1 FROM folder_files WHERE document_key = documents.key) AS followed
     FROM documents JOIN collections ON collections.key = documents.collection_key
     WHERE state IN ('queued', 'reading', 'indexing') ORDER BY documents.key`,
  );
  const keys = database.prepare("SELECT key, collection_key AS collectionKey, name FROM documents WHERE id = ?");
  const setReady = database.prepare(
    `UPDATE documents SET state = 'ready', error = ?, title = ?, language = ?, paged = ?, page_count = ?,
     chunk_count = ? WHERE key = ?`,
  );
  const pagesOf = database.prepare(
    `SELECT page, text, width, height, lines, label, table_rows AS tableRows FROM pages WHERE document_key = ? ORDER BY page`,
  );
  const chunksOf = database.prepare(
    `SELECT text, heading_path AS headingPath, spans, token_estimate AS tokenEstimate FROM chunks
     WHERE document_key = ? ORDER BY ordinal`,
  );
  const remove = database.prepare("DELETE FROM documents WHERE key = ?");
  const users = database.prepare("SELECT count(*) AS count FROM documents WHERE path = ?");

  const get = (id: string) => summaryOf(row<DocumentRow>(byId, id));
  const getFile = (id: string): DocumentFile | null => {
    const found = row<FileRow>(file, id);
    return found ? { ...found, owned: found.owned === 1 } : null;
  };
  const all = (found: DocumentRow[]) => found.map((document) => summaryOf(document)!);

  const create: Synchronous<DocumentTable>["create"] = ({ collectionId, name, format, file }) => {
    const collection = row<{ key: number }>(collectionKey, collectionId);
    if (!collection) throw collectionNotFound(collectionId);
    const id = uuidv7();
    const { path, owned, sha256, bytes, stamp = null } = file;
    const now = new Date().toISOString();
    insert.run(id, collection.key, name, format, path, owned ? 1 : 0, sha256, bytes, stamp, now);
    return get(id)!;
  };

  const saveContent: Synchronous<DocumentTable>["saveContent"] = (id, content) => {
    const document = row<{ key: number; collectionKey: number; name: string }>(keys, id);
    if (!document) throw documentNotFound(id);
    const { title, language, paged, pages, chunks, note = null } = content;
    const indexed = { ...document, title: indexedTitle(title, document.name), language };
    index.replaceContent(indexed, pages, chunks);
    setReady.run(
      note && JSON.stringify(note),
      title,
      language,
      paged ? 1 : 0,
      pages.length,
      chunks.length,
      document.key,
    );
    return get(id)!;
  };

  return {
    list: (collectionId) => all(collectionId === undefined ? rows(list) : rows(listOfCollection, collectionId)),
    get,
    file: getFile,
    findByHash: (collectionId, sha256) => summaryOf(row<DocumentRow>(byHash, collectionId, sha256)),
    findByPath: (collectionId, path) => all(rows(byPath, path, collectionId)),
    findByStamps: (collectionId, files) =>
      files.map(({ path, stamp }) => summaryOf(row<DocumentRow>(byStamp, path, stamp, collectionId))),
    relocate(id, { name, path, stamp }) {
      if (relocate.run(name, path, stamp, id).changes === 0) throw documentNotFound(id);
      return get(id)!;
    },
    ownedFiles: () =>
      rows<FileRow & { id: string }>(ownedFiles).map(({ id, ...found }) => ({
        documentId: id,
        file: { ...found, owned: true },
      })),
    create,
    setState(id, state, error = null) {
      if (setState.run(state, error && JSON.stringify(error), id).changes === 0) throw documentNotFound(id);
      return get(id)!;
    },
    unfinished: () =>
      rows<Omit<UnfinishedDocument, "followed"> & { followed: number }>(unfinished).map((found) => ({
        ...found,
        followed: found.followed === 1,
      })),
    saveContent,
    content(id) {
      const document = get(id);
      if (document?.state !== "ready") return null;
      const { key } = row<{ key: number }>(keys, id)!;
      const { title, language, paged, error } = document;
      const chunks = rows<ChunkRow>(chunksOf, key).map(({ headingPath, spans, ...chunk }) => ({
        ...chunk,
        headingPath: JSON.parse(headingPath) as string[],
        spans: JSON.parse(spans) as ChunkContent["spans"],
      }));
      return { title, language, paged, pages: rows<PageRow>(pagesOf, key).map(pageContent), chunks, note: error };
    },
    createRead: (entry, content) => saveContent(create(entry).id, content),
    remove(id) {
      const document = row<{ key: number }>(keys, id);
      const stored = getFile(id);
      if (!document || !stored) return null;
      index.removeContent([document.key]);
      remove.run(document.key);
      return row<{ count: number }>(users, stored.path)!.count === 0 ? stored : null;
    },
  };
}

function summaryOf(found: DocumentRow | undefined): DocumentSummary | null {
  if (!found) return null;
  const error = found.error === null ? null : (JSON.parse(found.error) as DocumentSummary["error"]);
  // How far reading has come is known to who reads, not kept.
  return { ...found, error, paged: found.paged === 1, progress: null };
}

function documentNotFound(id: string): CorralError {
  return new CorralError("DOCUMENT_NOT_FOUND", `There is no document ${id}; it may have been removed.`, {
    document: id,
  });
}
