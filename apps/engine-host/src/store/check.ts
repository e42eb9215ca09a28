import type { DatabaseSync } from "node:sqlite";
import { readPragmas, row, rows, sqliteVersion } from "./database.ts";
import { schemaVersion } from "./migrate.ts";
import { postingTable } from "./posting-blocks.ts";
import { DecodedPostings } from "./posting-list.ts";
import { segments } from "./segments.ts";
import type { Store } from "./store.ts";
import { isGone, vectorSegments } from "./vector-segments.ts";

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
    ...vectorProblems(database),
  ];
}

/** Whether each segment's postings hold as many terms as its chunks have. */
function postingsAgree(database: DatabaseSync): boolean {
  const index = segments(database);
  const postings = postingTable(database);
  const decoded = new DecodedPostings();
  return index.list().every((size) => {
    let terms = 0;
    const reader = postings.reader(size.id);
    while (reader.next()) {
      decoded.read(reader.bytes.subarray(reader.listStart, reader.listEnd), reader.chunks);
      for (let i = 0; i < decoded.length; i++) terms += decoded.counts[i]!;
    }
    return terms === index.load(size).lengths.reduce((sum, length) => sum + length, 0);
  });
}

/** Segments whose vectors are not those that they say they hold. */
function vectorProblems(database: DatabaseSync): string[] {
  const segments = vectorSegments(database);
  const problems: string[] = [];
  for (const { key, model } of segments.models()) {
    for (const { id, vectors, deleted } of segments.list(key)) {
      const gone = segments.deletedBits(id);
      const placed = segments.placed(id, 0);
      const isWhole =
        placed.length === vectors - deleted &&
        placed.every(({ place }) => !isGone(gone, place)) &&
        segments.remainders(id) === placed.length;
      if (!isWhole) problems.push(`segment ${id} of the vectors of ${model} is incomplete`);
    }
  }
  return problems;
}
