import { setTimeout as delay } from "node:timers/promises";
import { CorralError, type EmbeddingState } from "@corral/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRetrieval } from "./create-retrieval.ts";
import { createEmbeddingJob, type EmbeddingJob } from "./embedding-job.ts";
import { openSearchRoom, type SearchRoom, until } from "./testing/search-room.ts";

let room: SearchRoom;
beforeEach(async () => void (room = await openSearchRoom()));
afterEach(() => room[Symbol.asyncDispose]());

const start = () => createEmbeddingJob({ store: room.store, models: room.texts.models, retryMs: [5, 20] });

/** The first state that is as wanted. */
async function reaches(job: EmbeddingJob, isWanted: (state: EmbeddingState) => boolean): Promise<EmbeddingState> {
  const stop = new AbortController();
  for await (const state of job.watch(stop.signal)) {
    if (!isWanted(state)) continue;
    stop.abort();
    return state;
  }
  throw new Error("The job ended.");
}

const isReady = (state: EmbeddingState) => state.state === "ready" && state.embedded === state.chunks;

async function addMany(count: number, from = 0): Promise<void> {
  const chunks = Array.from({ length: count }, (_, i) => `text number${from + i}`);
  await room.add(`document ${from}`, ...chunks);
}

test("without a model it is off; with one everything gets its vector, new documents too", async () => {
  await addMany(150);
  await using job = start();
  expect(await reaches(job, ({ state }) => state === "off")).toMatchObject({
    model: null,
    chunks: 150,
    answering: null,
  });
  room.texts.install("m", "embed");
  const ready = await reaches(job, isReady);
  expect(ready).toMatchObject({ model: "m", embedded: 150, chunks: 150, answering: "m", failed: 0, error: null });
  expect(ready.index).toEqual({ mode: "int8", dimensions: 64, candidates: null, recall: null });
  await addMany(10, 150);
  job.wake();
  await reaches(job, (state) => isReady(state) && state.embedded === 160);
  // Title and text, each chunk once.
  const texts = room.texts.embedded.get("m")!;
  expect(texts).toHaveLength(160);
  expect(texts[0]).toBe("document 0\ntext number0");
  expect(new Set(texts).size).toBe(160);
  expect(room.texts.held).toBe(0);
});

test("goes on where it was when the host starts again, and loads no model when nothing is missing", async () => {
  await addMany(300);
  room.texts.install("m", "embed");
  room.texts.beforeText = () => delay(1);
  const before = start();
  await reaches(before, ({ embedded }) => embedded >= 100);
  await before[Symbol.asyncDispose]();
  expect(room.texts.held).toBe(0);
  const { models } = await room.store.vectors.status();
  const embedded = models[0]!.vectors;
  expect(embedded).toBeLessThan(300);
  room.texts.embedded.clear();
  room.texts.beforeText = () => {};
  {
    await using again = start();
    await reaches(again, isReady);
    expect(room.texts.embedded.get("m")).toHaveLength(300 - embedded);
  }
  const { acquired } = room.texts;
  await using third = start();
  expect(await reaches(third, isReady)).toMatchObject({ model: "m", answering: "m" });
  expect(room.texts.acquired).toBe(acquired);
});

test("with another model the earlier vectors answer until everything is embedded anew, then they go", async () => {
  await room.add("gate", "the gate closes in winter", "bananas from afar");
  room.texts.install("m", "embed");
  await using job = start();
  await reaches(job, isReady);
  await addMany(200);
  job.wake();
  await reaches(job, (state) => isReady(state) && state.embedded === 202);
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });

  const gate = Promise.withResolvers<void>();
  let texts = 0;
  room.texts.beforeText = (text) => (text.includes("\n") && ++texts > 100 ? gate.promise : undefined);
  room.texts.install("other", "embed");
  const midway = await reaches(job, ({ model, embedded }) => model === "other" && embedded >= 64);
  expect(midway).toMatchObject({ state: "embedding", answering: "m", chunks: 202 });
  const during = await retrieval.search("gate winter", null, 3);
  expect(during.legs).toEqual(["lexical", "dense"]);
  expect(during.notes).toEqual([{ type: "earlier-embedding-model", model: "m" }]);
  expect(during.hits[0]).toMatchObject({ document: "gate", legs: { dense: { rank: 1 } } });

  gate.resolve();
  await reaches(job, (state) => isReady(state) && state.answering === "other");
  const { models } = await room.store.vectors.status();
  expect(models.map(({ model }) => model)).toEqual(["other"]);
  const after = await retrieval.search("gate winter", null, 3);
  expect(after).toMatchObject({ legs: ["lexical", "dense"], notes: [] });
  expect(after.hits[0]).toMatchObject({ document: "gate", legs: { dense: { rank: 1 } } });
});

test("when the earlier model is gone, the new vectors answer from the first on", async () => {
  await addMany(150);
  room.texts.install("m", "embed");
  await using job = start();
  await reaches(job, isReady);
  const gate = Promise.withResolvers<void>();
  let texts = 0;
  room.texts.uninstall("m");
  await reaches(job, ({ state }) => state === "off");
  room.texts.beforeText = (text) => (text.includes("\n") && ++texts > 100 ? gate.promise : undefined);
  room.texts.install("other", "embed");
  const midway = await reaches(job, ({ embedded, model }) => model === "other" && embedded >= 64);
  expect(midway.answering).toBe("other");
  using retrieval = createRetrieval({ store: room.store, models: room.texts.models });
  const { legs, notes } = await retrieval.search("number1", null, 3);
  expect(legs).toEqual(["lexical", "dense"]);
  expect(notes).toContainEqual({ type: "partly-embedded", embedded: 64, chunks: 150 });
  gate.resolve();
  await reaches(job, isReady);
});

test("pausing stops it, also over a restart, until it may go on", async () => {
  await addMany(300);
  room.texts.install("m", "embed");
  room.texts.beforeText = () => delay(1);
  const job = start();
  await reaches(job, ({ embedded }) => embedded > 0);
  expect(await job.pause(true)).toMatchObject({ state: "paused", model: "m" });
  await until(() => room.texts.held === 0);
  await job[Symbol.asyncDispose]();
  await using again = start();
  const paused = await reaches(again, ({ state }) => state === "paused");
  await delay(50);
  expect((await room.store.vectors.status()).models[0]!.vectors).toBe(paused.embedded || 64);
  room.texts.beforeText = () => {};
  await again.pause(false);
  await reaches(again, isReady);
});

test("a text that is too long is embedded by its beginning, and counted", async () => {
  await room.add("d", "short one", `long ${"word ".repeat(200)}`, "short two");
  room.texts.maxWords = 50;
  room.texts.install("m", "embed");
  await using job = start();
  expect(await reaches(job, isReady)).toMatchObject({ shortened: 1, failed: 0 });
  const long = room.texts.embedded.get("m")!.find((text) => text.includes("long"))!;
  expect(long.startsWith("d\nlong word")).toBe(true);
});

test("a text that breaks the model is given up, the others are embedded", async () => {
  await addMany(100);
  await room.add("poison", "fine", "POISON", "fine too");
  await addMany(100, 100);
  room.texts.beforeText = (text) => {
    if (text.includes("POISON")) throw new CorralError("ENGINE_CRASHED", "The engine died.", { model: "m" });
  };
  room.texts.install("m", "embed");
  await using job = start();
  const state = await reaches(job, ({ state, embedded }) => state === "ready" && embedded === 202);
  expect(state).toMatchObject({ failed: 1, chunks: 203, error: null });
  expect(room.texts.held).toBe(0);
});

test("a model that cannot be had is told, and tried again", async () => {
  await addMany(10);
  let isBroken = true;
  room.texts.load = () =>
    isBroken
      ? Promise.reject(new CorralError("MODEL_LOAD_FAILED", "No.", { model: "m", reason: "x" }))
      : Promise.resolve();
  room.texts.install("m", "embed");
  await using job = start();
  const waiting = await reaches(job, ({ state }) => state === "waiting");
  expect(waiting.error).toMatchObject({ code: "MODEL_LOAD_FAILED" });
  isBroken = false;
  expect((await reaches(job, isReady)).error).toBeNull();
});

test("documents that are removed while they are embedded leave nothing behind", async () => {
  await addMany(64);
  const removed = await room.add("gone", ...Array.from({ length: 64 }, (_, i) => `gone ${i}`));
  const gate = Promise.withResolvers<void>();
  room.texts.beforeText = (text) => (text.endsWith("gone 5") ? gate.promise : undefined);
  room.texts.install("m", "embed");
  await using job = start();
  await reaches(job, ({ embedded }) => embedded === 64);
  await room.store.documents.remove(removed);
  gate.resolve();
  job.wake();
  await reaches(job, isReady);
  expect(await room.store.vectors.status()).toMatchObject({ chunks: 64, models: [{ vectors: 64 }] });
  expect((await room.store.check()).integrity).toBe("ok");
});
