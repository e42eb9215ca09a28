import { expect, test } from "vitest";
import { rows } from "./database.ts";
import { dot, openVectorDatabase, topicVectors, type VectorDatabase } from "./testing/vector-database.ts";
import { SEGMENT_VECTORS } from "./vector-segments.ts";

interface Known {
  key: number;
  vector: Float32Array;
}

/** The keys of the best by exact float arithmetic. */
function exactBest(known: Known[], query: Float32Array, limit: number): number[] {
  return known
    .map(({ key, vector }) => ({ key, score: dot(query, vector) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ key }) => key);
}

/** Chunk keys by the ids that searches answer. */
function keysById({ database }: VectorDatabase): Map<string, number> {
  const found = rows<{ id: string; ordinal: number; key: number }>(
    database.prepare(
      "SELECT documents.id, ordinal, chunks.key FROM chunks JOIN documents ON documents.key = document_key",
    ),
  );
  return new Map(found.map(({ id, ordinal, key }) => [`${id}.${ordinal}`, key]));
}

/** The share of the exact best ten that searches find, over some queries. */
function recallAt10(room: VectorDatabase, known: Known[], next: () => Float32Array, queries = 20): number {
  const keys = keysById(room);
  let found = 0;
  for (let i = 0; i < queries; i++) {
    const query = next();
    const exact = new Set(exactBest(known, query, 10));
    const hits = room.vectors.search("m", query, null, 10);
    expect(hits).toHaveLength(10);
    for (const { chunk } of hits) if (exact.has(keys.get(chunk.id)!)) found++;
  }
  return found / (10 * queries);
}

test("finds what an exact search finds, in open and in sealed segments", { timeout: 60_000 }, () => {
  using room = openVectorDatabase();
  const { id } = room.collections.create("c");
  for (let i = 0; i < 100; i++) room.addDocument(id, `${i}`, 100);
  const next = topicVectors(96, 7);
  const known = room.embed("m", next);
  expect(recallAt10(room, known, next)).toBeGreaterThanOrEqual(0.995);
  expect(room.tidy()).toBe(1);
  expect(recallAt10(room, known, next)).toBeGreaterThanOrEqual(0.995);
  room.addDocument(id, "one more", 300);
  known.push(...room.embed("m", next));
  expect(recallAt10(room, known, next)).toBeGreaterThanOrEqual(0.995);
  const bytes = room.collections.storage(id).vectorBytes / known.length;
  expect(bytes).toBeGreaterThan(2 * 96);
  expect(bytes).toBeLessThan(4 * 96);
  const query = next();
  const [best] = room.vectors.search("m", query, null, 1);
  const byHand = Math.max(...known.map(({ vector }) => dot(query, vector)));
  expect(best!.score).toBeCloseTo(byHand, 4);
  expect(room.check()).toBe("ok");
});

test(
  "a document that is removed is not found any more, and its places are used up by others",
  { timeout: 60_000 },
  () => {
    using room = openVectorDatabase();
    const { id } = room.collections.create("c");
    const documents = Array.from({ length: 120 }, (_, i) => room.addDocument(id, `${i}`, 100));
    const next = topicVectors(32, 3);
    let known = room.embed("m", next);
    room.tidy();
    const keys = keysById(room);
    const removed = documents.filter((_, i) => i % 10 !== 0);
    const query = next();
    room.vectors.search("m", query, null, 10);
    for (const [i, document] of removed.entries()) {
      room.write(() => room.documents.remove(document));
      for (let ordinal = 0; ordinal < 100; ordinal++) keys.delete(`${document}.${ordinal}`);
      if (i % 20 !== 0) continue;
      const hits = room.vectors.search("m", query, null, 1000);
      expect(hits.every(({ chunk }) => keys.has(chunk.id))).toBe(true);
    }
    const left = new Set(keys.values());
    known = known.filter(({ key }) => left.has(key));
    expect(known).toHaveLength(1200);
    expect(room.vectors.status()).toMatchObject({ chunks: 1200, models: [{ vectors: 1200 }] });
    expect(room.check()).toBe("ok");
    expect(room.tidy()).toBeGreaterThan(1);
    expect(room.check()).toBe("ok");
    const segments = rows(room.database.prepare("SELECT id FROM vector_segments"));
    expect(segments).toHaveLength(1);
    expect(recallAt10(room, known, next)).toBeGreaterThanOrEqual(0.995);
    room.write(() => room.collections.remove(id));
    expect(room.vectors.search("m", query, null, 10)).toEqual([]);
    expect(room.vectors.status()).toMatchObject({ chunks: 0, models: [{ vectors: 0 }] });
    expect(room.check()).toBe("ok");
  },
);

test("only documents of the sources are found, exactly the best of them", () => {
  using room = openVectorDatabase();
  const collections = ["a", "b", "c"].map((name) => room.collections.create(name).id);
  const documents = Array.from({ length: 90 }, (_, i) => room.addDocument(collections[i % 3]!, `${i}`, 100));
  const next = topicVectors(64, 11);
  const known = room.embed("m", next);
  room.tidy();
  const keys = keysById(room);
  const wanted = new Set(documents.filter((_, i) => i % 3 === 1 || i === 5));
  const inScope = new Set(
    [...keys].flatMap(([id, key]) => (wanted.has(id.slice(0, id.lastIndexOf("."))) ? [key] : [])),
  );
  const query = next();
  const sources = { collectionIds: [collections[1]!], documentIds: [documents[5]!] };
  const hits = room.vectors.search("m", query, sources, 20);
  const expected = exactBest(
    known.filter(({ key }) => inScope.has(key)),
    query,
    20,
  );
  expect(hits.map(({ chunk }) => keys.get(chunk.id))).toEqual(expected);
  expect(room.vectors.search("m", query, { collectionIds: [], documentIds: [] }, 20)).toEqual([]);
  // A document that is read again keeps its chunks until the new ones are there, but is not ready.
  room.write(() => room.documents.setState(documents[5]!, "queued"));
  const ready = room.vectors.search("m", query, { collectionIds: [], documentIds: [documents[5]!] }, 20);
  expect(ready).toEqual([]);
});

test("phrases, exclusions and fields of a query hold for vectors too", () => {
  using room = openVectorDatabase();
  const { id } = room.collections.create("c");
  for (const name of ["a.txt", "b.txt"]) room.addDocument(id, name, 40);
  room.embed("m", topicVectors(32, 1));
  const query = topicVectors(32, 2)();
  const found = (text: string) =>
    room.vectors.search("m", query, null, 100, text).map(({ chunk }) => `${chunk.document} ${chunk.text}`);
  expect(found("part")).toHaveLength(80);
  expect(found("part file:b").sort()).toEqual(Array.from({ length: 40 }, (_, i) => `b.txt part ${i}`).sort());
  expect(found('"part 7"').sort()).toEqual(["a.txt part 7", "b.txt part 7"]);
  expect(found('file:a -"part 7"')).toHaveLength(39);
});

test(
  "where there are too many for codes, bits are scanned with the recall that was measured",
  { timeout: 60_000 },
  () => {
    using room = openVectorDatabase(SEGMENT_VECTORS * 64);
    const { id } = room.collections.create("c");
    for (let i = 0; i < 180; i++) room.addDocument(id, `${i}`, 100);
    const next = topicVectors(64, 5);
    const known = room.embed("m", next);
    expect(room.vectors.status().models).toMatchObject([{ mode: "bits", candidates: null, recall: null }]);
    room.tidy();
    const [model] = room.vectors.status().models;
    expect(model!.recall).toBeGreaterThanOrEqual(0.98);
    expect([200, 400, 800, 1600, 3200]).toContain(model!.candidates);
    expect(recallAt10(room, known, next)).toBeGreaterThanOrEqual(0.97);
    // Codes that nobody scans are not kept.
    const { kept } = room.database.prepare("SELECT count(codes) AS kept FROM vector_segments").get() as {
      kept: number;
    };
    expect(kept).toBe(0);
    expect(room.check()).toBe("ok");
    // Fewer documents again: codes are made of the vectors.
    const documents = room.documents.list().map((document) => document.id);
    for (const document of documents.slice(0, 150)) room.write(() => room.documents.remove(document));
    room.tidy();
    const left = new Set(keysById(room).values());
    expect(room.vectors.status().models).toMatchObject([{ mode: "int8", vectors: 3000 }]);
    const stillKnown = known.filter(({ key }) => left.has(key));
    expect(recallAt10(room, stillKnown, next)).toBeGreaterThanOrEqual(0.995);
  },
);

test("memory: at most 100 bytes a chunk by bits and 800 by codes, for 768 dimensions", { timeout: 60_000 }, () => {
  const one = topicVectors(768, 1)();
  // Only how much they take counts here.
  const next = () => one;
  const fixed = 128 * 1024 + SEGMENT_VECTORS;
  for (const [residentCodeBytes, perChunk] of [
    [0, 100],
    [Infinity, 800],
  ] as const) {
    using room = openVectorDatabase(residentCodeBytes);
    const { id } = room.collections.create("c");
    for (let i = 0; i < 128; i++) room.addDocument(id, `${i}`, 128);
    room.embed("m", next);
    room.vectors.search("m", next(), null, 10);
    expect((room.vectors.residentBytes() - fixed) / (128 * 128)).toBeLessThanOrEqual(perChunk);
  }
});

test("vectors of several models stand side by side; a dropped one is gone at once and swept away", () => {
  using room = openVectorDatabase();
  const { id } = room.collections.create("c");
  const document = room.addDocument(id, "d", 600);
  const small = topicVectors(16, 1);
  const large = topicVectors(48, 2);
  room.embed("old", small);
  expect(room.vectors.missing("new", 0, 1)).toEqual([{ key: expect.any(Number), text: "d\npart 0" }]);
  room.embed("new", large);
  expect(room.vectors.missing("new", 0, 10)).toEqual([]);
  expect(room.vectors.search("old", small(), null, 5)).toHaveLength(5);
  room.write(() => room.vectors.dropModel("old"));
  expect(room.vectors.search("old", small(), null, 5)).toEqual([]);
  expect(room.vectors.search("new", large(), null, 5)).toHaveLength(5);
  expect(room.vectors.status().models.map(({ model }) => model)).toEqual(["new"]);
  expect(room.vectors.missing("old", 0, 10)).toHaveLength(10);
  // The same model again while the rows of before are still there; then a removal that meets both.
  room.embed("old", small);
  room.write(() => room.documents.remove(document));
  room.tidy();
  const { left } = room.database.prepare("SELECT count(*) AS left FROM vectors").get() as { left: number };
  expect(left).toBe(0);
  expect(room.check()).toBe("ok");
});

test("refuses vectors of another length and numbers that are none", () => {
  using room = openVectorDatabase();
  const { id } = room.collections.create("c");
  room.addDocument(id, "d", 3);
  const [first, second] = room.vectors.missing("m", 0, 2).map(({ key }) => key);
  const add = (key: number, vector: number[]) =>
    room.write(() => room.vectors.add("m", [{ key, vector: Float32Array.from(vector) }]));
  expect(add(first!, [0.6, 0.8])).toBe(1);
  expect(add(first!, [0.6, 0.8])).toBe(0);
  expect(add(99_999, [0.6, 0.8])).toBe(0);
  expect(() => add(second!, [1, 0, 0])).toThrow("2 dimensions, not 3");
  expect(() => add(second!, [Number.NaN, 0])).toThrow("not one of 2 numbers");
  expect(() => room.vectors.search("m", Float32Array.of(1), null, 1)).toThrow("2 dimensions, not 1");
  expect(room.vectors.status()).toMatchObject({ chunks: 3, models: [{ vectors: 1 }] });
});
