import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkDatabase } from "./check.ts";
import { collectionTable } from "./collections.ts";
import { inTransaction, openDatabase, row, rows } from "./database.ts";
import { documentTable } from "./documents.ts";
import { indexedText, indexedTitle, indexWriter } from "./index-writer.ts";
import { segmentMerger } from "./merge-segments.ts";
import { migrate } from "./migrate.ts";
import { hashOf, postingTable } from "./posting-blocks.ts";
import { DecodedPostings } from "./posting-list.ts";
import { searchIndex } from "./search-index.ts";
import { isDeleted, segments } from "./segments.ts";
import { termsOf } from "./terms.ts";

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

/** Merges and tidies until nothing is left to do. */
function settle(): void {
  const merger = segmentMerger(database, segments(database));
  while (write(() => merger.step(5))) continue;
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

/** Every posting of the index, as "term chunk-key count". */
function postings(): string[] {
  const index = segments(database);
  const decoded = new DecodedPostings();
  const table = postingTable(database);
  return index.list().flatMap((size) => {
    const { keys, deleted } = index.load(size);
    const found: string[] = [];
    const reader = table.reader(size.id);
    while (reader.next()) {
      const term = new TextDecoder().decode(reader.bytes.subarray(reader.termStart, reader.termEnd));
      expect(reader.hash).toBe(hashOf(term));
      decoded.read(reader.bytes.subarray(reader.listStart, reader.listEnd), reader.chunks);
      for (let i = 0; i < decoded.length; i++)
        if (!isDeleted(deleted, decoded.chunks[i]!))
          found.push(`${term} ${keys[decoded.chunks[i]!]} ${decoded.counts[i]}`);
    }
    return found;
  });
}

/** The index holds what the chunks say, counted from their text. */
function expectConsistent(): void {
  expect(checkDatabase(database).integrity).toBe("ok");
  const chunks = rows<{ key: number; headingPath: string; text: string; name: string; title: string | null }>(
    database.prepare(
      `SELECT chunks.key, heading_path AS headingPath, text, name, title FROM chunks
       JOIN documents ON documents.key = document_key`,
    ),
  );
  let terms = 0;
  const expected = chunks.flatMap(({ key, headingPath, text, name, title }) => {
    const counts = new Map<string, number>();
    const whole = indexedText(indexedTitle(title, name), JSON.parse(headingPath) as string[], text);
    for (const term of termsOf(whole, "en")) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      terms++;
    }
    return [...counts].map(([term, count]) => `${term} ${key} ${count}`);
  });
  expect(postings().sort()).toEqual(expected.sort());
  expect(row(database.prepare("SELECT chunks, terms FROM index_totals"))).toEqual({ chunks: chunks.length, terms });
}

test("stays consistent over random additions, replacements and removals", () => {
  let seed = 42;
  let merger = segmentMerger(database, segments(database));
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
    // Merging goes on between the writes, and is cut short like by a crash now and then.
    if (random(3) > 0) write(() => merger.step(random(2)));
    if (random(20) === 0) merger = segmentMerger(database, segments(database));
    if (step % 50 === 0) expectConsistent();
  }
  expect(documents.list().length).toBeGreaterThan(5);
  expectConsistent();
  settle();
  expectConsistent();
  write(() => indexWriter(database).reindex(() => {}));
  expectConsistent();
  for (const id of owners) write(() => collections.remove(id));
  expectConsistent();
  settle();
  expect(rows(database.prepare("SELECT * FROM postings"))).toEqual([]);
});

test("ranks exactly as FTS5's BM25 does with the same terms, before and after merging", () => {
  let seed = 7;
  const random = (limit: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit;
  // Word 0 is in most chunks, word 59 in few.
  const word = () => `w${Math.floor((random(1000) / 1000) ** 2 * 60)}`;
  const { id } = collections.create("c");
  const oracle = new DatabaseSync(":memory:");
  oracle.exec("CREATE VIRTUAL TABLE oracle USING fts5 (terms, content = '', tokenize = 'ascii')");
  const insert = oracle.prepare("INSERT INTO oracle (rowid, terms) VALUES (?, ?)");
  const rank = oracle.prepare("SELECT rowid AS key, -bm25(oracle) AS score FROM oracle WHERE oracle MATCH ?");
  write(() => {
    for (let number = 0; number < 60; number++) {
      const texts = Array.from({ length: 1 + random(20) }, () =>
        Array.from({ length: 5 + random(60) }, word).join(" "),
      );
      add(id, "d", texts, null);
    }
    for (const document of documents.list().filter((_, i) => i % 5 === 2)) documents.remove(document.id);
  });
  const stored = database.prepare("SELECT key, heading_path AS headings, text FROM chunks");
  for (const { key, headings, text } of rows<{ key: number; headings: string; text: string }>(stored)) {
    const terms = termsOf(indexedText("d", JSON.parse(headings) as string[], text), null);
    insert.run(key, terms.join(" "));
  }
  const { total } = row<{ total: number }>(oracle.prepare("SELECT count(*) AS total FROM oracle"))!;
  const keyOf = database.prepare(
    "SELECT chunks.key FROM chunks JOIN documents ON documents.key = document_key WHERE id = ? AND ordinal = ?",
  );

  /** FTS5 term by term: its idf (which it lets not fall below 1e-6) is changed for ours. */
  function expected(words: string[]): Map<number, number> {
    const scores = new Map<number, number>();
    for (const term of new Set(words)) {
      const found = rows<{ key: number; score: number }>(rank, `"${term}"`);
      const odds = (total - found.length + 0.5) / (found.length + 0.5);
      const factor = Math.log(1 + odds) / (odds > 1 ? Math.log(odds) : 1e-6);
      for (const { key, score } of found) scores.set(key, (scores.get(key) ?? 0) + score * factor);
    }
    return scores;
  }

  function compare(): void {
    for (let query = 0; query < 60; query++) {
      const words = Array.from({ length: 1 + random(8) }, word);
      const scores = expected(words);
      const best = [...scores.values()].sort((a, b) => b - a).slice(0, 10);
      const found = index.search(words.join(" "), null, 10);
      expect(found).toHaveLength(best.length);
      for (const [place, { chunk, score }] of found.entries()) {
        expect(score).toBeCloseTo(best[place]!, 9);
        const { key } = row<{ key: number }>(keyOf, chunk.documentId, chunk.ordinal)!;
        expect(score).toBeCloseTo(scores.get(key)!, 9);
      }
    }
  }

  compare();
  settle();
  expect(segments(database).list().length).toBeLessThan(15);
  compare();
  oracle.close();
});

test("a check tells when the index does not hold what the chunks say, and when rows point nowhere", () => {
  const { id } = collections.create("c");
  add(id, "a", ["The pumps", "are maintained"]);
  expect(checkDatabase(database).integrity).toBe("ok");
  database.exec("DELETE FROM postings");
  expect(checkDatabase(database).integrity).toContain("search index is incomplete");
  database.exec("PRAGMA foreign_keys = OFF; DELETE FROM documents");
  expect(checkDatabase(database).integrity).toContain("points nowhere");
});

test("indexing anew gives the same terms and says how far it is", () => {
  const { id } = collections.create("c");
  add(id, "a", ["The pumps", "are maintained"]);
  add(id, "b", ["Die Häuser"], "de");
  const before = postings();
  const progress: [number, number][] = [];
  write(() => indexWriter(database).reindex((done, total) => progress.push([done, total])));
  expect(postings().sort()).toEqual(before.sort());
  expect(progress).toEqual([[3, 3]]);
});
