import type { DatabaseSync } from "node:sqlite";
import { readPragmas, row, rows, sqliteVersion } from "./database.ts";
import { schemaVersion } from "./migrate.ts";
import { DecodedPostings } from "./posting-list.ts";
import { segments } from "./segments.ts";
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
  const counts = row<Record<"chunks" | "searchable" | "total", number>>(
    database.prepare(
      `SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT chunks FROM index_totals) AS total,
        (SELECT coalesce(sum(chunks), 0) FROM postings_segments)
          - (SELECT coalesce(sum(chunks), 0) FROM postings_deleted) AS searchable`,
    ),
  )!;
  const agree = new Set(Object.values(counts)).size === 1 && postingsAgree(database);
  return [
    ...integrity,
    ...foreignKeys,
    ...(agree ? [] : [`the search index is incomplete: ${JSON.stringify(counts)}`]),
  ];
}

/** Whether each segment's postings hold as many terms as its chunks have. */
function postingsAgree(database: DatabaseSync): boolean {
  const index = segments(database);
  const postings = database.prepare("SELECT chunks, list FROM postings WHERE segment = ?");
  const decoded = new DecodedPostings();
  return index.list().every((size) => {
    let terms = 0;
    for (const { chunks, list } of postings.iterate(size.id) as Iterable<{ chunks: number; list: Uint8Array }>) {
      decoded.read(list, chunks);
      for (let i = 0; i < chunks; i++) terms += decoded.counts[i]!;
    }
    return terms === index.load(size).lengths.reduce((sum, length) => sum + length, 0);
  });
}
