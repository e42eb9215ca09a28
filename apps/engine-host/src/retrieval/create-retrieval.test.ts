import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRetrieval } from "./create-retrieval.ts";
import { createEmbeddingJob } from "./embedding-job.ts";
import { openSearchRoom, type SearchRoom, until } from "./testing/search-room.ts";

let room: SearchRoom;
beforeEach(async () => void (room = await openSearchRoom()));
afterEach(() => room[Symbol.asyncDispose]());

/** Embeds everything with what is installed. */
async function embedAll(): Promise<void> {
  await using _job = createEmbeddingJob({ store: room.store, models: room.texts.models });
  await until(async () => {
    const { chunks, models } = await room.store.vectors.status();
    return models.length === 1 && models[0]!.vectors === chunks;
  });
}

test("hits carry document, first page where pages mean something, and spans", async () => {
  const { store, collectionId } = room;
  const spans = [
    { page: 4, start: 10, end: 40 },
    { page: 5, start: 0, end: 9 },
  ];
  const ids: string[] = [];
  for (const [name, paged] of [
    ["a.pdf", true],
    ["b.txt", false],
  ] as const) {
    const file = { path: name, owned: false, sha256: name, bytes: 1 };
    const { id } = await store.documents.create({ collectionId, name, format: paged ? "pdf" : "text", file });
    const chunks = [{ text: "The valve opens slowly.", headingPath: ["Valves"], spans, tokenEstimate: 6 }];
    await store.documents.saveContent(id, { title: null, language: "en", paged, pages: [], chunks });
    ids.push(id);
  }
  using retrieval = createRetrieval({ store });
  const { hits, legs, notes } = await retrieval.search("opening a valve", null, 10);
  const score = expect.any(Number) as number;
  const common = { collectionId, headingPath: ["Valves"], text: "The valve opens slowly.", spans, score };
  const lexical = (rank: number) => ({ lexical: { rank, score }, dense: null, rerank: null });
  expect(hits).toEqual([
    { ...common, chunkId: `${ids[0]}.0`, documentId: ids[0], document: "a.pdf", page: 4, legs: lexical(1) },
    { ...common, chunkId: `${ids[1]}.0`, documentId: ids[1], document: "b.txt", page: null, legs: lexical(2) },
  ]);
  expect(legs).toEqual(["lexical"]);
  expect(notes).toEqual([{ type: "no-embedding-model" }]);
});

test("by words alone the hits and scores are those of the index", async () => {
  for (let i = 0; i < 30; i++) await room.add(`${i}`, `gate ${"rope ".repeat(i % 7)} closes ${i}`);
  const plain = await room.store.index.search("gate closes rope", null, 7);
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const { hits, notes } = await retrieval.search("gate closes rope", null, 7);
  expect(hits.map(({ chunkId, score }) => ({ chunkId, score }))).toEqual(
    plain.map(({ chunk, score }) => ({ chunkId: chunk.id, score })),
  );
  expect(notes).toEqual([{ type: "no-embedding-model" }]);
});

test("words and vectors are fused: what both legs have comes first", async () => {
  await room.add("words", "gate gate gate gate gate");
  await room.add("both", "the gate closes in winter");
  for (let i = 0; i < 20; i++) await room.add(`other ${i}`, `bananas ${i}`);
  room.texts.install("embedder", "embed");
  await embedAll();
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const { hits, legs, notes } = await retrieval.search("winter gate closes", null, 5);
  expect(legs).toEqual(["lexical", "dense"]);
  expect(notes).toEqual([]);
  expect(hits).toHaveLength(5);
  expect(hits[0]).toMatchObject({ document: "both", legs: { lexical: { rank: 1 }, dense: { rank: 1 }, rerank: null } });
  expect(hits[0]!.score).toBeCloseTo(2 / 61);
  expect(hits[2]!.legs.lexical).toBeNull();
  expect(hits[2]!.legs.dense).not.toBeNull();
  expect(room.texts.held).toBe(0);
  // Sources hold for both legs.
  const none = await retrieval.search("winter gate closes", { collectionIds: [], documentIds: [] }, 5);
  expect(none.hits).toEqual([]);
});

test("the syntax of a search field holds for both legs; a question has none", async () => {
  await room.add("a", "the gate closes in winter", "the gate opens in summer");
  await room.add("b", "winter gate");
  room.texts.install("embedder", "embed");
  await embedAll();
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const found = async (query: string, syntax: boolean) => {
    const { hits, legs } = await retrieval.search(query, null, 10, undefined, { syntax });
    return { texts: hits.map(({ text }) => text).sort(), legs };
  };
  const both = ["lexical", "dense"];
  expect(await found("winter gate -closes", true)).toEqual({
    texts: ["the gate opens in summer", "winter gate"],
    legs: both,
  });
  expect(await found('"winter gate"', true)).toEqual({ texts: ["winter gate"], legs: both });
  expect((await found('"winter gate" -closes', false)).texts).toHaveLength(3);
  expect(await found("file:b", true)).toEqual({ texts: ["winter gate"], legs: ["lexical"] });
});

test("a model that is not ready in time is a note, and the next search has it", { timeout: 15_000 }, async () => {
  await room.add("a", "the gate closes");
  room.texts.install("embedder", "embed");
  await embedAll();
  const loading = Promise.withResolvers<void>();
  room.texts.load = () => loading.promise;
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const first = await retrieval.search("gate", null, 5);
  expect(first.legs).toEqual(["lexical"]);
  expect(first.hits).toHaveLength(1);
  expect(first.notes).toEqual([{ type: "embedding-out-of-time" }]);
  loading.resolve();
  await until(() => room.texts.held === 0);
  expect((await retrieval.search("gate", null, 5)).legs).toEqual(["lexical", "dense"]);
});

test("a model that fails is a note with its reason", async () => {
  await room.add("a", "the gate closes");
  room.texts.install("embedder", "embed");
  room.texts.install("ranker", "rank");
  await room.add("b", "the gate opens");
  await embedAll();
  room.texts.beforeText = () => {
    throw new Error("broken");
  };
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const { hits, legs, notes } = await retrieval.search("gate", null, 5);
  const plain = await room.store.index.search("gate", null, 5);
  expect(hits.map(({ score }) => score)).toEqual(plain.map(({ score }) => score));
  expect(legs).toEqual(["lexical"]);
  expect(notes).toMatchObject([
    { type: "embedding-failed", error: { code: "INTERNAL" } },
    { type: "rerank-failed", error: { code: "INTERNAL" } },
  ]);
  expect(room.texts.held).toBe(0);
});

test("the reranking model puts the best in its order", async () => {
  await room.add("loud", "gate gate gate gate gate");
  await room.add("right", "a longer text about when in winter the old gate of the valley closes for good");
  await room.add("third", "a gate");
  room.texts.install("ranker", "rank");
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const { hits, legs, notes } = await retrieval.search("gate winter valley closes", null, 3);
  expect(legs).toEqual(["lexical", "rerank"]);
  expect(notes).toEqual([{ type: "no-embedding-model" }]);
  expect(hits[0]).toMatchObject({ document: "right", score: 2, legs: { rerank: { rank: 1, score: 1 } } });
  expect(hits.map(({ legs: { rerank } }) => rerank?.rank)).toEqual([1, 2, 3]);
});

test("when its time is up, what it has read comes first and the rest stays as it was", async () => {
  for (let i = 0; i < 40; i++) await room.add(`${i}`, `gate ${i} ${"word ".repeat(i)}`);
  room.texts.install("ranker", "rank");
  room.texts.beforeText = async () => void (await delay(25));
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models, rerankMs: 500 });
  const { hits, legs, notes } = await retrieval.search("gate", null, 40);
  expect(legs).toEqual(["lexical", "rerank"]);
  const note = notes.find(({ type }) => type === "rerank-out-of-time") as { ranked: number; wanted: number };
  expect(note.wanted).toBe(32);
  expect(note.ranked).toBeGreaterThanOrEqual(4);
  expect(note.ranked).toBeLessThan(32);
  const read = hits.filter(({ legs: { rerank } }) => rerank !== null);
  expect(read).toHaveLength(note.ranked);
  expect(read.map(({ legs: { lexical } }) => lexical!.rank).every((rank) => rank <= note.ranked)).toBe(true);
  expect(hits.slice(note.ranked).map(({ legs: { lexical } }) => lexical!.rank)).toEqual(
    Array.from({ length: 40 - note.ranked }, (_, i) => note.ranked + 1 + i),
  );
  for (const [i, { score }] of hits.slice(1).entries()) expect(score).toBeLessThanOrEqual(hits[i]!.score);
});

test("a reranking model without time for even one passage is skipped", async () => {
  await room.add("a", "gate one");
  await room.add("b", "gate two three");
  room.texts.install("ranker", "rank");
  room.texts.load = () => delay(200);
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models, rerankMs: 20 });
  const { hits, legs, notes } = await retrieval.search("gate", null, 10);
  const plain = await room.store.index.search("gate", null, 10);
  expect(hits.map(({ score }) => score)).toEqual(plain.map(({ score }) => score));
  expect(legs).toEqual(["lexical"]);
  expect(notes.at(-1)).toEqual({ type: "rerank-out-of-time", ranked: 0, wanted: 2 });
  await until(() => room.texts.held === 0 && room.texts.acquired === 1);
});

test("an aborted search gives nothing, whatever it was waiting for", async () => {
  await room.add("a", "gate");
  room.texts.install("embedder", "embed");
  await embedAll();
  room.texts.load = () => new Promise(() => {});
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const controller = new AbortController();
  const search = retrieval.search("gate", null, 10, controller.signal);
  setTimeout(() => controller.abort(), 50);
  await expect(search).rejects.toMatchObject({ name: "AbortError" });
});
