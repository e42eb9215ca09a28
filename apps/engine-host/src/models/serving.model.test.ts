import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerateRequest } from "../engines/engine.ts";
import { createLlamaEngine } from "../engines/llama-engine.ts";
import { writeTinyBert } from "../engines/tiny-bert.test-writer.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { openLogger } from "../logger.ts";
import { createModels } from "./create-models.ts";
import type { Models, ScheduledPart } from "./models.ts";
import { memoryStore } from "./testing/test-models.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const never = new AbortController().signal;
const logger = openLogger({ directory: null, stderr: null });

let folder: string;
let models: Models;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-serving-"));
  models = createModels({
    store: memoryStore(),
    engine: createLlamaEngine({ logger }),
    hardware: createHardware({ diskPath: "/" }),
    logger,
    embeddedModelPath: readerPath,
    stateDirectory: join(folder, "kv-cache"),
  });
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A reply that takes long: the model writes one token over and over. */
const endless = (text: string): GenerateRequest => ({
  messages: [{ role: "user", text }],
  logitBias: { 1000: 100 },
  maxTokens: 700,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  seed: null,
});

const activityOf = async (id: string) => (await models.activity()).models.find(({ model }) => model === id);

/** Until it is so; how long that took, ms. */
async function until(isSo: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  while (!(await isSo())) await sleep(2);
  return performance.now() - started;
}

it("frees the slot of a stopped request within 250 ms (95th percentile), whether it reads, writes or waits", async () => {
  await using lease = await models.acquire("corral-reader", { signal: never });
  const freed: number[] = [];
  for (let round = 0; round < 20; round++) {
    const stops = [new AbortController(), new AbortController(), new AbortController()];
    const streams = stops.map(async ({ signal }, index) => {
      const parts: ScheduledPart[] = [];
      for await (const part of lease.generate(endless(`${"Round ".repeat(round)}${index}?`), signal)) parts.push(part);
      return parts.at(-1);
    });
    await until(async () => {
      const now = await activityOf("corral-reader");
      return now?.running === 2 && now.queued === 1;
    });
    // At another moment of its work each time.
    await sleep(round * 7);
    for (const stop of stops) stop.abort();
    freed.push(await until(async () => (await activityOf("corral-reader"))?.running === 0));
    for (const last of await Promise.all(streams)) expect(last).toMatchObject({ type: "finish", reason: "cancelled" });
    expect(await activityOf("corral-reader")).toMatchObject({ queued: 0, kvUsedTokens: 0 });
  }
  expect(freed.toSorted((a, b) => a - b)[18]).toBeLessThanOrEqual(250);
});

it("embeds and ranks in workers of their own while a reply is written", async () => {
  const files = [
    { path: join(folder, "e5-tiny.gguf"), pooling: "mean" as const, name: "E5 tiny" },
    { path: join(folder, "ranker.gguf"), pooling: "rank" as const, name: "Tiny ranker" },
  ];
  for (const { path, ...options } of files) {
    await writeTinyBert(path, options);
    await models.add(path);
  }
  await using lease = await models.acquire("corral-reader", { signal: never });
  const stop = new AbortController();
  const writing = (async () => {
    let tokens = 0;
    for await (const part of lease.generate(endless("Go on?"), stop.signal))
      if (part.type === "text-delta") tokens += part.tokens;
    return tokens;
  })();
  await using embedder = await models.embedder(null, { signal: never });
  const [query, near, far] = [
    ...(await embedder.embed(["when does the gate close"], "query", never)),
    ...(await embedder.embed(["the gate does close when it is dark", "apples and pears"], "document", never)),
  ];
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  expect(dot(query!, near!)).toBeGreaterThan(dot(query!, far!));
  await using reranker = await models.reranker(null, { signal: never });
  const scores = await reranker.rank("gate", ["the gate closes", "apples"], never);
  for (const score of scores) expect(score).toBeGreaterThanOrEqual(0);
  const loaded = (await models.list()).filter(({ state }) => state === "ready" || state === "idle");
  expect(loaded.map(({ id }) => id).toSorted()).toEqual(["corral-reader", "e5-tiny", "ranker"]);
  stop.abort();
  expect(await writing).toBeGreaterThan(0);
});
