import type { DatabaseSync } from "node:sqlite";
import type { FollowedFolder } from "@corral/protocol";
import { collectionNotFound } from "./collections.ts";
import { row, rows } from "./database.ts";
import type { FolderFile, FolderTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { uuidv7 } from "./uuid.ts";

interface FolderRow extends Omit<FollowedFolder, "error"> {
  error: string | null;
}

interface FolderFileRow extends Omit<FolderFile, "error"> {
  error: string | null;
}

/** Folders that collections follow, with the files last seen in each. */
export function folderTable(database: DatabaseSync): Synchronous<FolderTable> {
  const select = `
    SELECT folders.id, collections.id AS collectionId, folders.path, folders.state, folders.error,
      folders.checked_at AS checkedAt,
      (SELECT count(*) FROM folder_files WHERE folder_key = folders.key AND document_key IS NOT NULL) AS documentCount,
      (SELECT count(*) FROM folder_files WHERE folder_key = folders.key AND error IS NOT NULL) AS refusedCount
    FROM folders JOIN collections ON collections.key = collection_key`;
  const list = database.prepare(`${select} ORDER BY folders.key`);
  const byId = database.prepare(`${select} WHERE folders.id = ?`);
  const byPath = database.prepare(`${select} WHERE collections.id = ? AND folders.path = ?`);
  const collectionKey = database.prepare("SELECT key FROM collections WHERE id = ?");
  const insert = database.prepare(
    "INSERT INTO folders (id, collection_key, path, state, added_at) VALUES (?, ?, ?, 'checking', ?)",
  );
  const setState = database.prepare(
    "UPDATE folders SET state = ?, error = ?, checked_at = coalesce(?, checked_at) WHERE id = ?",
  );
  const forgetFiles = database.prepare(
    "DELETE FROM folder_files WHERE folder_key = (SELECT key FROM folders WHERE id = ?)",
  );
  const remove = database.prepare("DELETE FROM folders WHERE id = ?");
  const key = database.prepare("SELECT key FROM folders WHERE id = ?");
  const files = database.prepare(
    `SELECT folder_files.path, folder_files.stamp, documents.id AS documentId, folder_files.error
     FROM folder_files LEFT JOIN documents ON documents.key = document_key
     WHERE folder_key = (SELECT key FROM folders WHERE id = ?)`,
  );
  const putFile = database.prepare(
    `INSERT INTO folder_files (folder_key, path, stamp, document_key, error)
     VALUES (?, ?, ?, (SELECT key FROM documents WHERE id = ?), ?)
     ON CONFLICT DO UPDATE SET stamp = excluded.stamp, document_key = excluded.document_key, error = excluded.error`,
  );
  const documentOf = database.prepare("SELECT document_key AS key FROM folder_files WHERE folder_key = ? AND path = ?");
  const removeFile = database.prepare("DELETE FROM folder_files WHERE folder_key = ? AND path = ?");
  const standsFor = database.prepare("SELECT path, stamp FROM folder_files WHERE document_key = ? LIMIT 1");
  const placeOf = database.prepare("SELECT id, path FROM documents WHERE key = ?");

  const get = (id: string) => folderOf(row<FolderRow>(byId, id));
  return {
    list: () => rows<FolderRow>(list).map((found) => folderOf(found)!),
    get,
    add(collectionId, path) {
      const known = folderOf(row<FolderRow>(byPath, collectionId, path));
      if (known) return known;
      const collection = row<{ key: number }>(collectionKey, collectionId);
      if (!collection) throw collectionNotFound(collectionId);
      const id = uuidv7();
      insert.run(id, collection.key, path, new Date().toISOString());
      return get(id)!;
    },
    remove(id) {
      forgetFiles.run(id);
      remove.run(id);
    },
    setState(id, state, error, checkedAt) {
      setState.run(state, error && JSON.stringify(error), checkedAt, id);
      return get(id);
    },
    files: (id) =>
      rows<FolderFileRow>(files, id).map((file) => ({
        ...file,
        error: file.error === null ? null : (JSON.parse(file.error) as FolderFile["error"]),
      })),
    putFiles(id, seen) {
      const folder = row<{ key: number }>(key, id);
      if (!folder) return;
      for (const file of seen)
        putFile.run(folder.key, file.path, file.stamp, file.documentId, file.error && JSON.stringify(file.error));
    },
    removeFiles(id, paths) {
      const folder = row<{ key: number }>(key, id);
      const unused = new Set<string>();
      const moved = new Map<string, { path: string; stamp: string }>();
      if (!folder) return { unused: [], moved: [] };
      for (const path of paths) {
        const document = row<{ key: number | null }>(documentOf, folder.key, path)?.key ?? null;
        removeFile.run(folder.key, path);
        if (document === null) continue;
        const { id: documentId, path: place } = row<{ id: string; path: string }>(placeOf, document)!;
        const other = row<{ path: string; stamp: string }>(standsFor, document);
        if (!other) unused.add(documentId);
        else if (place === path || moved.has(documentId)) moved.set(documentId, { ...other });
      }
      for (const documentId of unused) moved.delete(documentId);
      return { unused: [...unused], moved: [...moved].map(([documentId, other]) => ({ documentId, ...other })) };
    },
  };
}

function folderOf(found: FolderRow | undefined): FollowedFolder | null {
  if (!found) return null;
  return { ...found, error: found.error === null ? null : (JSON.parse(found.error) as FollowedFolder["error"]) };
}
