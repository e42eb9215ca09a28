import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";
import { hashOf, postingTable } from "./posting-blocks.ts";
import { DecodedPostings } from "./posting-list.ts";
import { SegmentDraft } from "./segment-draft.ts";

let directory: string;
let database: DatabaseSync;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "corral-blocks-"));
  database = openDatabase(directory, "write");
  migrate(database, directory);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Two words whose terms have the same hash, found by trying. */
function colliding(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; ; i++) {
    const word = `w${i.toString(36)}q`;
    const other = seen.get(hashOf(word));
    if (other !== undefined) return [other, word];
    seen.set(hashOf(word), word);
  }
}

test("each term of a segment is found with its chunks, whatever block it lies in, also where two have one hash", () => {
  const [one, other] = colliding();
  const draft = new SegmentDraft();
  const words = Array.from({ length: 3000 }, (_, i) => `term${i}`);
  draft.add(1, 1, words.join(" "), null);
  draft.add(2, 1, `${other} common`, null);
  draft.add(3, 1, `${one} ${one} common`, null);
  for (let key = 4; key < 1000; key++) draft.add(key, 1, "common", null);
  const table = postingTable(database);
  draft.write(table.writer(7));
  const blocks = database.prepare("SELECT count(*) AS count FROM postings").get() as { count: number };
  expect(blocks.count).toBeGreaterThan(5);

  const chunksOf = (term: string, segment = 7) => {
    const list = table.find(segment, term, hashOf(term));
    if (!list) return null;
    const decoded = new DecodedPostings();
    decoded.read(list.list, list.chunks);
    return Array.from({ length: decoded.length }, (_, i) => [decoded.chunks[i], decoded.counts[i]]);
  };
  for (const word of words) expect(chunksOf(word)).toEqual([[0, 1]]);
  expect(chunksOf(one)).toEqual([[2, 2]]);
  expect(chunksOf(other)).toEqual([[1, 1]]);
  expect(chunksOf("common")).toHaveLength(998);
  expect(chunksOf("zebra")).toBeNull();
  expect(chunksOf(one, 8)).toBeNull();

  const reader = table.reader(7);
  let terms = 0;
  let last = -1;
  for (; reader.next(); terms++) {
    expect(reader.hash).toBeGreaterThanOrEqual(last);
    last = reader.hash;
  }
  expect(terms).toBe(3003);
  draft.clear();
  draft.add(1, 1, "anew", null);
  draft.write(table.writer(9));
  expect(chunksOf("anew", 9)).toEqual([[0, 1]]);
  expect(chunksOf("common", 9)).toBeNull();
});
