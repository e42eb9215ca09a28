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
  const remove = database.prepare("DELETE FROM collections WHERE id = ?");

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
    remove(id) {
      const keys = rows<{ key: number }>(documentKeys, id).map(({ key }) => key);
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
