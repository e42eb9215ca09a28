import { join } from "node:path";
import type { LoadPlan } from "@corral/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { createFakeEngine, type FakeScript } from "../engines/fake-engine.ts";
import type { Engine, GenerateRequest } from "../engines/engine.ts";
import { buildGguf, tinyTensors } from "../engines/gguf.test-builder.ts";
import { neededBytes } from "../planning/placement.ts";
import type { RequestClient, ScheduledPart } from "./models.ts";
import { memorySettings } from "./testing/memory-settings.ts";
import { memoryStore, settle, TestModels } from "./testing/test-models.ts";

const never = new AbortController().signal;

let test: TestModels;
afterEach(() => test[Symbol.asyncDispose]());

const ask = (text: string, given: Partial<GenerateRequest> = {}): GenerateRequest => ({
  messages: [{ role: "user", text }],
  maxTokens: 100,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  seed: null,
  ...given,
});

/** An engine whose replies end only when they are stopped, and which remembers what it was asked. */
function heldEngine(script: FakeScript = {}): { engine: Engine; requests: GenerateRequest[] } {
  const requests: GenerateRequest[] = [];
  const reply = (request: GenerateRequest) => {
    requests.push(request);
    return "and so on for ever";
  };
  const replyFault = () => ({ kind: "hang" as const, afterWords: 1 });
  return { engine: createFakeEngine({ reply, replyFault, ...script }), requests };
}

async function collect(stream: AsyncIterable<ScheduledPart>): Promise<ScheduledPart[]> {
  const parts: ScheduledPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

/** Asks the reader, which has two slots, on a lease of its own. */
function start(text: string, client?: RequestClient, given: Partial<GenerateRequest> = {}) {
  const stop = new AbortController();
  const parts: ScheduledPart[] = [];
  const done = (async () => {
    await using lease = await test.models.acquire("corral-reader", { signal: stop.signal, ...(client && { client }) });
    for await (const part of lease.generate(ask(text, given), stop.signal)) parts.push(part);
  })();
  done.catch(() => undefined);
  return { stop, parts, done };
}

const activityOf = async (id: string) => (await test.models.activity()).models.find(({ model }) => model === id);
const guest: RequestClient = { user: "guest", priority: "interactive" };

describe("requests", () => {
  it("wait for a slot, are seen to wait, and go on when one is free", async () => {
    const { engine, requests } = heldEngine();
    test = await TestModels.create({}, [], { engine });
    const first = start("one");
    await settle();
    const second = start("two", guest);
    await settle();
    const third = start("three");
    await settle();
    const fourth = start("four", guest);
    await settle();
    expect(requests.map(({ messages }) => messages[0]?.text)).toEqual(["one", "two"]);
    expect(await activityOf("corral-reader")).toMatchObject({
      state: "ready",
      running: 2,
      queued: 2,
      slots: [{ contextSize: 4096, total: 2, busy: 2 }],
      kvTotalTokens: 8192,
    });
    expect(third.parts.at(-1)).toMatchObject({ type: "queued", place: 1 });
    expect(fourth.parts.at(-1)).toMatchObject({ type: "queued", place: 2 });
    fourth.stop.abort();
    first.stop.abort();
    await Promise.all([first.done, fourth.done]);
    await settle();
    expect(requests.map(({ messages }) => messages[0]?.text)).toEqual(["one", "two", "three"]);
    expect(await activityOf("corral-reader")).toMatchObject({ running: 2, queued: 0, counters: { cancelled: 2 } });
    for (const { stop } of [second, third]) stop.abort();
    await Promise.all([second.done, third.done]);
    expect(await test.state("corral-reader")).toBe("idle");
  });

  it("of two users never share a KV cache, whatever they call their conversations", async () => {
    const { engine, requests } = heldEngine({ replyFault: () => null });
    test = await TestModels.create({}, [], { engine });
    await start("one", undefined, { cacheOwner: "chat" }).done;
    await start("two", guest, { cacheOwner: "chat" }).done;
    await start("three", guest).done;
    const [own, guests, none] = requests.map(({ cacheOwner }) => cacheOwner);
    expect(own).toBeDefined();
    expect(guests).toBeDefined();
    expect(own).not.toBe(guests);
    expect(none).toBeUndefined();
    await test.models.forgetConversation("chat");
    await test.models.forgetConversation("chat", "guest");
    const { history } = engine as unknown as { history: string[] };
    expect(history.slice(-2)).toEqual([`forget ${own}`, `forget ${guests}`]);
  });

  it("that only waited when the engine died wait again at its successor", async () => {
    let replies = 0;
    const fake = createFakeEngine({
      reply: () => "and so on",
      replyFault: () => (++replies <= 2 ? { kind: "hang", afterWords: 1 } : null),
    });
    test = await TestModels.create({}, [], { engine: fake });
    const running = [start("one"), start("two", guest)];
    await settle();
    const waiting = start("three four");
    await settle();
    fake.crash("corral-reader");
    for (const { done } of running) await expect(done).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    await settle();
    // After its pause it is loaded again.
    test.clock.pass(1000);
    await waiting.done;
    expect(waiting.parts.at(-1)).toMatchObject({ type: "finish", reason: "stop" });
    expect(fake.history).toEqual(["load corral-reader", "crash corral-reader", "load corral-reader"]);
    expect((await activityOf("corral-reader"))?.counters).toMatchObject({ crashes: 1, loads: 2, failed: 2 });
    expect(await test.state("corral-reader")).toBe("idle");
  });

  it("are refused within the turn of the event loop when the queue is full, five hundred at once", async () => {
    const { engine } = heldEngine();
    test = await TestModels.create({}, [], { engine });
    await test.models.configure({ queueLimit: 20, ownerLimits: limits(1000), otherLimits: limits(1000) });
    await using lease = await test.models.acquire("corral-reader", { signal: never });
    const stop = new AbortController();
    const outcomes: string[] = [];
    const all = Array.from({ length: 500 }, (_, index) =>
      collect(lease.generate(ask(`${index}`), stop.signal)).then(
        () => outcomes.push("ended"),
        (error: { code: string }) => outcomes.push(error.code),
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    // Two run and twenty wait; nobody else is kept.
    expect(outcomes).toHaveLength(478);
    expect(new Set(outcomes)).toEqual(new Set(["QUEUE_FULL"]));
    stop.abort();
    await Promise.all(all);
    expect(await activityOf("corral-reader")).toMatchObject({ running: 0, queued: 0, kvUsedTokens: 0 });
  });
});

function limits(queued: number) {
  return { concurrent: null, queued, tokensPerMinute: null, tokensPerDay: null, weight: 1 };
}

describe("settings", () => {
  it("are kept, and changed only as far as they are given", async () => {
    const store = { ...memoryStore(), settings: memorySettings() };
    test = await TestModels.create({}, [], { store });
    const before = await test.models.settings();
    expect(before).toMatchObject({ keepAliveMs: 1_800_000, parallelReplies: null, defaultModel: null });
    await Promise.all([test.models.configure({ keepAliveMs: null }), test.models.configure({ queueLimit: 7 })]);
    await test[Symbol.asyncDispose]();
    test = await TestModels.create({}, [], { store });
    expect(await test.models.settings()).toEqual({ ...before, keepAliveMs: null, queueLimit: 7 });
  });

  it("that a later version wrote otherwise are at their defaults", async () => {
    const store = { ...memoryStore(), settings: memorySettings() };
    await store.settings.set("serving", '{"keepAliveMs": "for ever"}');
    test = await TestModels.create({}, [], { store });
    expect((await test.models.settings()).keepAliveMs).toBe(1_800_000);
  });

  it("give a model as many slots as the owner wants", async () => {
    test = await TestModels.create();
    await test.models.configure({ parallelReplies: 8 });
    await test.models.load("a", never);
    expect(test.engine.settings[0]?.slots.reduce((sum, { count }) => sum + count, 0)).toBe(8);
  });

  it("give a model the context the owner wants", async () => {
    test = await TestModels.create();
    await test.models.configure({ contextSizes: { a: 1024 } });
    await test.models.load("a", never);
    expect(test.engine.settings[0]?.slots[0]?.contextSize).toBe(1024);
  });
});

describe("a draft model", () => {
  /** Four more layers' worth of weights than the tiny one. */
  const large = () => {
    const tensor = (layer: number) => ({
      name: `blk.1.ffn_${layer}.weight`,
      dimensions: [64, 512],
      type: 0,
      bytes: 131_072,
    });
    return buildGguf({ tensors: [...tinyTensors(), ...[1, 2, 3].map(tensor)] });
  };

  it("is offered where one is here and fits, and used only when chosen", async () => {
    test = await TestModels.create({}, ["small"]);
    await test.add("large", large());
    const offered = await test.models.plan("large");
    expect(offered.draft).toBeUndefined();
    expect(offered.reasons.at(-1)).toMatch(/^Tiny has the same vocabulary/);
    expect((await test.models.plan("small")).reasons.join()).not.toContain("vocabulary");

    await test.models.configure({ draftModels: { large: "small" } });
    const plan = await test.models.plan("large");
    expect(plan.draft).toBe("small");
    const bytes = ({ devices }: LoadPlan) => devices.reduce((sum, device) => sum + neededBytes(device), 0);
    expect(bytes(plan)).toBeGreaterThan(bytes(offered));
    await test.models.load("large", never);
    await test.models.load("small", never);
    expect(test.engine.settings.map(({ draft }) => draft)).toEqual([
      { path: join(test.folder, "small.gguf") },
      undefined,
    ]);
  });

  it("is refused where it is of no use", async () => {
    test = await TestModels.create({}, ["small"]);
    await test.add("large", large());
    const refused = { code: "INVALID_INPUT" };
    await expect(test.models.configure({ draftModels: { small: "large" } })).rejects.toMatchObject(refused);
    await expect(test.models.configure({ draftModels: { large: "corral-reader" } })).rejects.toMatchObject(refused);
    await expect(test.models.configure({ draftModels: { large: "x" } })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
    expect((await test.models.settings()).draftModels).toEqual({});
  });
});

describe("the default model", () => {
  const first = async () => (await test.models.list())[0]?.id;

  it("is the first that was added, unless the owner chose another", async () => {
    test = await TestModels.create();
    expect(await first()).toBe("a");
    await test.models.configure({ defaultModel: "b" });
    expect(await first()).toBe("b");
    await test.models.configure({ defaultModel: "corral-reader" });
    expect(await first()).toBe("corral-reader");
    await test.models.configure({ defaultModel: null });
    expect(await first()).toBe("a");
    await expect(test.models.configure({ defaultModel: "nobody" })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });

  it("is not one that was only named in passing, until it is added for itself", async () => {
    test = await TestModels.create({}, []);
    await test.add("passing");
    await test.models.remove("passing");
    const path = join(test.folder, "passing.gguf");
    await test.models.add(path, { inPassing: true });
    expect(await first()).toBe("corral-reader");
    await test.models.add(path, { inPassing: true });
    expect(await first()).toBe("corral-reader");
    await test.models.add(path);
    expect(await first()).toBe("passing");
    await test.models.add(path, { inPassing: true });
    expect(await first()).toBe("passing");
  });
});

it("tells watchers of the activity, now and after changes, not more often than twice a second", async () => {
  const { engine } = heldEngine();
  test = await TestModels.create({}, [], { engine });
  const end = new AbortController();
  const seen: number[] = [];
  const watching = (async () => {
    for await (const { models } of test.models.watchActivity(end.signal)) seen.push(models[0]?.running ?? -1);
  })();
  await settle();
  const first = start("one");
  await settle();
  expect(seen).toEqual([0]);
  test.clock.pass(500);
  await settle();
  expect(seen).toEqual([0, 1]);
  first.stop.abort();
  await first.done;
  test.clock.pass(500);
  await settle();
  expect(seen.at(-1)).toBe(0);
  end.abort();
  await watching;
});
