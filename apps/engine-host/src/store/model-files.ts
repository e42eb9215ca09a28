import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import type { ModelFile, ModelFileTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";

/** GGUF files the user added; they stay where they lie. Adding an id again replaces its entry. */
export function modelFileTable(database: DatabaseSync): Synchronous<ModelFileTable> {
  const columns = "id, name, path, bytes, added_at AS addedAt";
  const list = database.prepare(`SELECT ${columns} FROM model_files ORDER BY added_at, rowid`);
  const add = database.prepare(
    `INSERT INTO model_files (id, name, path, bytes, added_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, path = excluded.path, bytes = excluded.bytes
     RETURNING ${columns}`,
  );
  const remove = database.prepare("DELETE FROM model_files WHERE id = ?");
  return {
    list: () => rows<ModelFile>(list),
    add: ({ id, name, path, bytes }) => row<ModelFile>(add, id, name, path, bytes, new Date().toISOString())!,
    remove: (id) => void remove.run(id),
  };
}
