import type { DatabaseSync } from "node:sqlite";
import { readPragmas, row, rows, sqliteVersion } from "./database.ts";
import { schemaVersion } from "./migrate.ts";
import type { Store } from "./store.ts";

/** Reads the whole database: pages, indexes, foreign keys, and whether the search index agrees with the chunks. */
export function checkDatabase(database: DatabaseSync): Awaited<ReturnType<Store["check"]>> {
  return {
    schema: schemaVersion(database),
    sqliteVersion: sqliteVersion(database),
    integrity: problems(database)[0] ?? "ok",
    pragmas: readPragmas(database),
  };
}

function problems(database: DatabaseSync): string[] {
  const integrity = rows<{ integrity_check: string }>(database.prepare("PRAGMA integrity_check(10)"))
    .map((found) => found.integrity_check)
    .filter((line) => line !== "ok");
  const foreignKeys = rows<{ table: string }>(database.prepare("PRAGMA foreign_key_check")).map(
    ({ table }) => `a row of ${table} points nowhere`,
  );
  const counts = row<Record<"chunks" | "terms" | "searchable" | "total", number>>(
    database.prepare(
      `SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM chunk_terms) AS terms,
        (SELECT count(*) FROM chunk_search) AS searchable, (SELECT chunks FROM index_totals) AS total`,
    ),
  )!;
  const agree = new Set(Object.values(counts)).size === 1;
  return [
    ...integrity,
    ...foreignKeys,
    ...(agree ? [] : [`the search index is incomplete: ${JSON.stringify(counts)}`]),
  ];
}
