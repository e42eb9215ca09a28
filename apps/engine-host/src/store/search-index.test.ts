import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkDatabase } from "./check.ts";
import { collectionTable } from "./collections.ts";
import { inTransaction, openDatabase, row, rows } from "./database.ts";
import { documentTable } from "./documents.ts";
import { indexWriter } from "./index-writer.ts";
import { migrate } from "./migrate.ts";
import { searchIndex } from "./search-index.ts";

let directory: string;
let database: DatabaseSync;
let collections: ReturnType<typeof collectionTable>;
let documents: ReturnType<typeof documentTable>;
let index: ReturnType<typeof searchIndex>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "corral-index-"));
  database = openDatabase(directory, "write");
  migrate(database, directory);
  const writer = indexWriter(database);
  collections = collectionTable(database, writer);
  documents = documentTable(database, writer);
  index = searchIndex(database);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const write = <Result>(work: () => Result) => inTransaction(database, "write", work);

function save(id: string, language: string | null, texts: string[], title: string | null = null): void {
  documents.saveContent(id, {
    title,
    language,
    paged: false,
    pages: [],
    chunks: texts.map((text, i) => ({
      text,
      headingPath: [`Section ${i + 1}`],
      spans: [{ page: 1, start: 0, end: text.length }],
      tokenEstimate: 5,
    })),
  });
}

function add(collectionId: string, name: string, texts: string[], language: string | null = "en"): string {
  const file = { path: `/${name}`, owned: false, sha256: name, bytes: 1 };
  const { id } = documents.create({ collectionId, name, format: "text", file });
  save(id, language, texts);
  return id;
}

const names = (query: string, sources: Parameters<typeof index.search>[1] = null) =>
  index.search(query, sources, 10).map(({ chunk }) => `${chunk.document}#${chunk.ordinal}`);

describe("search", () => {
  test("ranks what holds more and rarer words of the question first, in any form of the word", () => {
    const { id } = collections.create("c");
    add(id, "pump.txt", ["The pump is maintained every year.", "The pump room is locked.", "The room has a window."]);
    add(id, "german.txt", ["Die Häuser wurden geprüft."], "de");
    add(id, "thai.txt", ["ทีมรับของแพนเธอร์สถอดใจที่คะแนน"], "th");
    expect(names("maintaining the pumps")).toEqual(["pump.txt#0", "pump.txt#1", "pump.txt#2"]);
    expect(names("Haus")).toEqual(["german.txt#0"]);
    expect(names("คะแนนของทีม")).toEqual(["thai.txt#0"]);
    expect(names("zebra")).toEqual([]);
    expect(names(`"'*() OR NOT NEAR ^ -`)).toEqual([]);
  });

  test("finds by title, file name and headings too", () => {
    const { id } = collections.create("c");
    const titled = add(id, "x.txt", ["nothing"]);
    save(titled, "en", ["nothing"], "Reactor manual");
    add(id, "walrus-report.final.txt", ["nothing"]);
    expect(names("reactors")).toEqual(["x.txt#0"]);
    expect(names("walrus")).toEqual(["walrus-report.final.txt#0"]);
    expect(names("section")).toHaveLength(2);
  });

  test("keeps to the sources and to ready documents", () => {
    const one = collections.create("one").id;
    const two = collections.create("two").id;
    const a = add(one, "a", ["pelican"]);
    const b = add(two, "b", ["pelican"]);
    const c = add(two, "c", ["pelican"]);
    expect(names("pelican")).toHaveLength(3);
    expect(names("pelican", { collectionIds: [one], documentIds: [] })).toEqual(["a#0"]);
    expect(names("pelican", { collectionIds: [one], documentIds: [c] }).sort()).toEqual(["a#0", "c#0"]);
    expect(names("pelican", { collectionIds: ["gone"], documentIds: ["gone"] })).toEqual([]);
    expect(names("pelican", { collectionIds: [], documentIds: [] })).toEqual([]);
    documents.setState(b, "queued");
    expect(names("pelican").sort()).toEqual(["a#0", "c#0"]);
    documents.remove(a);
    expect(names("pelican")).toEqual(["c#0"]);
  });

  test("gives the chunk with all that is known of it, also by its id", () => {
    const { id: collectionId } = collections.create("c");
    const documentId = add(collectionId, "a.txt", ["first", "second"]);
    const [hit] = index.search("second", null, 1);
    expect(hit!.score).toBeGreaterThan(0);
    expect(hit!.chunk).toEqual({
      id: `${documentId}.1`,
      documentId,
      collectionId,
      document: "a.txt",
      paged: false,
      title: null,
      language: "en",
      ordinal: 1,
      headingPath: ["Section 2"],
      text: "second",
      spans: [{ page: 1, start: 0, end: 6 }],
      tokenEstimate: 5,
    });
    expect(index.chunk(hit!.chunk.id)).toEqual(hit!.chunk);
    expect(index.chunk(`${documentId}.2`)).toBeNull();
    expect(index.chunk("nonsense")).toBeNull();
  });

  test("idf is ln((N + 1) / (df + 1))", () => {
    const { id } = collections.create("c");
    add(id, "a", ["alpha beta", "alpha", "gamma"]);
    const [alpha, beta, none] = index.idf(["alpha", "beta", "zeta"]);
    expect(alpha).toBeCloseTo(Math.log(4 / 3));
    expect(beta).toBeCloseTo(Math.log(4 / 2));
    expect(none).toBeCloseTo(Math.log(4));
  });
});

describe("in a library too large to score every chunk", () => {
  let one: string;
  let two: string;
  let needle: string;
  beforeEach(() => {
    write(() => {
      one = collections.create("one").id;
      two = collections.create("two").id;
      const filler = (i: number) => `common words about item${i % 700} and thing${i % 90}`;
      for (let i = 0; i < 12; i++)
        add(
          i % 2 ? one : two,
          `filler${i}`,
          Array.from({ length: 200 }, (_, j) => filler(i * 200 + j)),
        );
      needle = add(two, "needle", ["common words about the platypus and item5"]);
    });
  });

  test("the index finds the same best chunk, within any sources", () => {
    expect(names("common words about the platypus")[0]).toBe("needle#0");
    expect(names("platypus", { collectionIds: [two], documentIds: [] })).toEqual(["needle#0"]);
    expect(names("platypus", { collectionIds: [one], documentIds: [] })).toEqual([]);
    expect(names("platypus", { collectionIds: [one], documentIds: [needle] })).toEqual(["needle#0"]);
    const found = index.search("item5 thing5", { collectionIds: [one], documentIds: [] }, 50);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ chunk }) => chunk.collectionId === one)).toBe(true);
    documents.setState(needle, "queued");
    expect(names("platypus")).toEqual([]);
  });

  test("questions of any length and shape are answered", () => {
    const long = Array.from({ length: 3000 }, (_, i) => `item${i}`).join(" ");
    expect(index.search(long, null, 5)).toHaveLength(5);
    expect(index.search("common common words about", null, 5)).toHaveLength(5);
    const everything = documents.list().map(({ id }) => id);
    expect(names("platypus", { collectionIds: [], documentIds: everything })).toEqual(["needle#0"]);
    expect(index.search("item5", null, 5)).toEqual(index.search("item5", null, 5));
  });
});

/** What the index should hold, counted from its chunks. */
function expectConsistent(): void {
  expect(checkDatabase(database).integrity).toBe("ok");
  const chunks = rows<{ length: number; terms: string }>(database.prepare("SELECT length, terms FROM chunk_terms"));
  const frequencies = new Map<string, number>();
  for (const { terms } of chunks)
    for (const term of new Set(terms.split(" "))) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
  const stored = rows<{ term: string; chunks: number }>(database.prepare("SELECT term, chunks FROM term_frequencies"));
  expect(new Map(stored.map(({ term, chunks }) => [term, chunks]))).toEqual(frequencies);
  expect(row(database.prepare("SELECT chunks, terms FROM index_totals"))).toEqual({
    chunks: chunks.length,
    terms: chunks.reduce((sum, { length }) => sum + length, 0),
  });
  const match = database.prepare("SELECT count(*) AS found FROM chunk_search WHERE chunk_search MATCH ?");
  for (const [term, count] of frequencies) expect(row(match, `terms : "${term}"`)).toEqual({ found: count });
}

test("stays consistent over random additions, replacements and removals", () => {
  let seed = 42;
  const random = (limit: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit;
  const text = () => Array.from({ length: 1 + random(12) }, () => `w${random(40)}`).join(" ");
  const texts = () => Array.from({ length: random(6) }, text);
  let owners = [collections.create("0").id];
  for (let step = 0; step < 400; step++) {
    const all = documents.list();
    const victim = all[random(Math.max(1, all.length))]?.id;
    write(() => {
      const kind = random(20);
      if (kind < 9) add(owners[random(owners.length)]!, `d${step}`, texts());
      else if (kind < 14 && victim) save(victim, "en", texts());
      else if (kind < 18 && victim) documents.remove(victim);
      else if (kind < 19) owners.push(collections.create(`${step}`).id);
      else if (owners.length > 1) {
        collections.remove(owners[0]!);
        owners = owners.slice(1);
      }
    });
  }
  expect(documents.list().length).toBeGreaterThan(5);
  expectConsistent();
  write(() => indexWriter(database).reindex(() => {}));
  expectConsistent();
  for (const id of owners) write(() => collections.remove(id));
  expectConsistent();
  expect(rows(database.prepare("SELECT * FROM term_frequencies"))).toEqual([]);
});

test("a check tells when the index does not hold what the chunks say, and when rows point nowhere", () => {
  const { id } = collections.create("c");
  add(id, "a", ["The pumps", "are maintained"]);
  expect(checkDatabase(database).integrity).toBe("ok");
  database.exec("DELETE FROM chunk_search WHERE rowid = 2");
  expect(checkDatabase(database).integrity).toContain("search index is incomplete");
  database.exec("PRAGMA foreign_keys = OFF; DELETE FROM documents");
  expect(checkDatabase(database).integrity).toContain("points nowhere");
});

test("indexing anew gives the same terms and says how far it is", () => {
  const { id } = collections.create("c");
  add(id, "a", ["The pumps", "are maintained"]);
  add(id, "b", ["Die Häuser"], "de");
  const all = "SELECT chunk_key, length, terms FROM chunk_terms ORDER BY chunk_key";
  const before = rows(database.prepare(all));
  const progress: [number, number][] = [];
  write(() => indexWriter(database).reindex((done, total) => progress.push([done, total])));
  expect(rows(database.prepare(all))).toEqual(before);
  expect(progress).toEqual([
    [1, 2],
    [2, 2],
  ]);
});
