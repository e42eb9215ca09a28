import type { DatabaseSync } from "node:sqlite";
import { CorralError, type Collection } from "@corral/protocol";
import { row, rows } from "./database.ts";
import type { IndexWriter } from "./index-writer.ts";
import type { CollectionTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { uuidv7 } from "./uuid.ts";

/** Named sets of documents. */
export function collectionTable(database: DatabaseSync, index: IndexWriter): Synchronous<CollectionTable> {
  const select = `
    SELECT id, name, created_at AS createdAt,
      (SELECT count(*) FROM documents WHERE collection_key = collections.key) AS documentCount,
      (SELECT coalesce(sum(chunk_count), 0) FROM documents WHERE collection_key = collections.key) AS chunkCount
    FROM collections`;
  const list = database.prepare(`${select} ORDER BY key`);
  const byId = database.prepare(`${select} WHERE id = ?`);
  const byName = database.prepare(`${select} WHERE folded_name = ?`);
  const insert = database.prepare("INSERT INTO collections (id, name, folded_name, created_at) VALUES (?, ?, ?, ?)");
  const rename = database.prepare("UPDATE collections SET name = ?, folded_name = ? WHERE id = ?");
  const documentKeys = database.prepare(
    "SELECT key FROM documents WHERE collection_key = (SELECT key FROM collections WHERE id = ?)",
  );
  const removeDocument = database.prepare("DELETE FROM documents WHERE key = ?");
  const removeFolderFiles = database.prepare(
    `DELETE FROM folder_files WHERE folder_key IN
       (SELECT folders.key FROM folders JOIN collections ON collections.key = collection_key WHERE collections.id = ?)`,
  );
  const removeFolders = database.prepare(
    "DELETE FROM folders WHERE collection_key = (SELECT key FROM collections WHERE id = ?)",
  );
  const remove = database.prepare("DELETE FROM collections WHERE id = ?");

  const fileBytes = database.prepare(
    `SELECT coalesce(sum(bytes) FILTER (WHERE NOT owned), 0) AS inPlaceBytes,
       (SELECT coalesce(sum(bytes), 0) FROM (SELECT DISTINCT path, bytes FROM documents
         WHERE owned AND collection_key = (SELECT key FROM collections WHERE id = ?1))) AS copiesBytes
     FROM documents WHERE collection_key = (SELECT key FROM collections WHERE id = ?1)`,
  );
  const ofCollection =
    "JOIN documents ON documents.key = document_key JOIN collections ON collections.key = collection_key";
  const textBytes = database.prepare(
    `SELECT (SELECT coalesce(sum(octet_length(pages.text) + octet_length(lines) + coalesce(octet_length(table_rows), 0)), 0)
         FROM pages ${ofCollection} WHERE collections.id = ?1)
       + (SELECT coalesce(sum(octet_length(chunks.text) + octet_length(heading_path) + octet_length(spans)), 0)
         FROM chunks ${ofCollection} WHERE collections.id = ?1) AS bytes`,
  );
  const indexBytes = database.prepare(
    `SELECT (SELECT coalesce(sum(octet_length(block)), 0) FROM postings)
       + (SELECT coalesce(sum(octet_length(keys) + octet_length(documents) + octet_length(lengths)), 0)
         FROM postings_segments) AS bytes, (SELECT chunks FROM index_totals) AS chunks`,
  );

  const vectorBytes = database.prepare(
    `SELECT coalesce(sum(vectors * 2 * dimensions + coalesce(octet_length(scales), 0) + coalesce(octet_length(bits), 0)
         + coalesce(octet_length(codes), 0)), 0) AS bytes
     FROM vector_segments JOIN vector_models ON vector_models.key = model_key`,
  );

  const get = (id: string) => row<Collection>(byId, id) ?? null;
  const getByName = (name: string) => row<Collection>(byName, foldName(name)) ?? null;

  return {
    list: () => rows<Collection>(list),
    get,
    getByName,
    create(name) {
      if (getByName(name)) throw exists(name);
      const id = uuidv7();
      insert.run(id, name, foldName(name), new Date().toISOString());
      return get(id)!;
    },
    rename(id, name) {
      const holder = getByName(name);
      if (holder && holder.id !== id) throw exists(name);
      if (rename.run(name, foldName(name), id).changes === 0) throw collectionNotFound(id);
      return get(id)!;
    },
    storage(id) {
      const collection = get(id);
      if (!collection) throw collectionNotFound(id);
      const files = row<{ inPlaceBytes: number; copiesBytes: number }>(fileBytes, id)!;
      const text = row<{ bytes: number }>(textBytes, id)!;
      // The index is one for all collections, and so are the vectors.
      const index = row<{ bytes: number; chunks: number }>(indexBytes)!;
      const vectors = row<{ bytes: number }>(vectorBytes)!;
      const share = index.chunks === 0 ? 0 : collection.chunkCount / index.chunks;
      const shareOf = ({ bytes }: { bytes: number }) => Math.round(bytes * share);
      return { ...files, textBytes: text.bytes, indexBytes: shareOf(index), vectorBytes: shareOf(vectors) };
    },
    remove(id) {
      const keys = rows<{ key: number }>(documentKeys, id).map(({ key }) => key);
      removeFolderFiles.run(id);
      removeFolders.run(id);
      index.removeContent(keys);
      for (const key of keys) removeDocument.run(key);
      remove.run(id);
    },
  };
}

/** How names are compared: without case and without differences of encoding. */
function foldName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

function exists(name: string): CorralError {
  return new CorralError("COLLECTION_EXISTS", `A collection named "${name}" exists already; choose another name.`, {
    collection: name,
  });
}

export function collectionNotFound(id: string): CorralError {
  return new CorralError("COLLECTION_NOT_FOUND", `There is no collection ${id}; it may have been removed.`, {
    collection: id,
  });
}
