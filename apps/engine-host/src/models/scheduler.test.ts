import type { UserLimits } from "@corral/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { EngineMessage, EnginePart, GenerateRequest, LoadedModel } from "../engines/engine.ts";
import { ModelStatistics } from "./model-statistics.ts";
import type { RequestClient, ScheduledPart } from "./models.ts";
import { PlaceLost, Scheduler } from "./scheduler.ts";
import { TestClock } from "./testing/test-clock.ts";
import { TokenUsage } from "./token-usage.ts";

const never = new AbortController().signal;

/** A model whose replies are written when the test says so. One character of a prompt is one token. */
class HeldModel {
  readonly running = new Map<string, { finish: (words?: number) => void; isAborted: () => boolean }>();
  readonly ended: Promise<{ reason: string } | null>;
  readonly #end = Promise.withResolvers<{ reason: string } | null>();
  readonly #clock: TestClock;
  counted = 0;

  constructor(clock: TestClock) {
    this.#clock = clock;
    this.ended = this.#end.promise;
  }

  countPromptTokens(messages: EngineMessage[]): Promise<number> {
    this.counted++;
    return Promise.resolve(messages.reduce((sum, { text }) => sum + text.length, 0));
  }

  countTokens(texts: string[]): Promise<number[]> {
    return Promise.resolve(texts.map((text) => text.length));
  }

  crash(): void {
    this.#end.resolve({ reason: "test" });
  }

  dispose(): void {
    this.#end.resolve(null);
  }

  async *generate({ messages }: GenerateRequest, signal: AbortSignal): AsyncGenerator<EnginePart, void> {
    const [{ text } = { text: "" }] = messages;
    const promptTokens = text.length;
    const { promise, resolve } = Promise.withResolvers<number>();
    const started = this.#clock.now();
    const entry = { finish: (words = 2) => resolve(words), isAborted: () => signal.aborted };
    this.running.set(text, entry);
    signal.addEventListener("abort", () => resolve(0));
    yield { type: "prefill-progress", done: promptTokens, total: promptTokens };
    const gone = this.ended.then(() => {
      throw new Error("crashed");
    });
    const words = await Promise.race([promise, gone]);
    this.running.delete(text);
    for (let word = 0; word < words; word++) yield { type: "text-delta", text: "x", tokens: 1 };
    const decodeMs = this.#clock.now() - started;
    const statistics = { promptTokens, cachedTokens: 0, completionTokens: words, prefillMs: 0, decodeMs };
    yield { type: "finish", reason: signal.aborted ? "cancelled" : "stop", statistics };
  }
}

let clock: TestClock;
let model: HeldModel;
let statistics: ModelStatistics;
let usage: TokenUsage;
let limits: Record<string, Partial<UserLimits>>;
let queueLimit: number;

const generous: UserLimits = { concurrent: null, queued: 100, tokensPerMinute: null, tokensPerDay: null, weight: 1 };

beforeEach(() => {
  clock = new TestClock();
  model = new HeldModel(clock);
  statistics = new ModelStatistics();
  usage = new TokenUsage();
  limits = {};
  queueLimit = 100;
});

function schedulerWith(count: number, contextSize = 4096): Scheduler {
  return new Scheduler({
    model: model as unknown as LoadedModel,
    slots: [{ contextSize, count }],
    clock,
    usage,
    statistics,
    rules: () => ({ queueLimit, limitsOf: (user) => ({ ...generous, ...limits[user] }) }),
    changed: () => undefined,
  });
}

const ask = (text: string, maxTokens = 100): GenerateRequest => ({
  messages: [{ role: "user", text }],
  maxTokens,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  seed: null,
});

/** One request, read to its end in the background. */
function start(
  scheduler: Scheduler,
  text: string,
  client: Partial<RequestClient> = {},
  given: Partial<{ maxTokens: number; signal: AbortSignal }> = {},
) {
  const parts: ScheduledPart[] = [];
  const stop = new AbortController();
  const signal = given.signal ?? stop.signal;
  const stream = scheduler.generate(
    ask(text, given.maxTokens),
    { user: "a", priority: "interactive", ...client },
    signal,
  );
  const done = (async () => {
    for await (const part of stream) parts.push(part);
  })();
  done.catch(() => undefined);
  const places = () => parts.flatMap((part) => (part.type === "queued" ? [[part.place, part.estimateMs]] : []));
  const reason = () => parts.flatMap((part) => (part.type === "finish" ? part.reason : []))[0];
  return { parts, done, stop, places, reason };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const texts = () => [...model.running.keys()];

describe("the queue", () => {
  it("starts what has a slot at once and tells the others their place, again after each change", async () => {
    const scheduler = schedulerWith(1);
    const first = start(scheduler, "one");
    const second = start(scheduler, "two");
    const third = start(scheduler, "three");
    await settle();
    expect(texts()).toEqual(["one"]);
    expect([first, second, third].map(({ places }) => places())).toEqual([[], [[1, null]], [[2, null]]]);
    expect(scheduler).toMatchObject({ running: 1, queued: 2, kvUsedTokens: expect.any(Number) as number });
    clock.pass(10_000);
    model.running.get("one")?.finish(11);
    await settle();
    expect(first.reason()).toBe("stop");
    expect(texts()).toEqual(["two"]);
    // The first took 10 s, so the second is expected to.
    const [, [place, estimate] = []] = third.places();
    expect(place).toBe(1);
    expect(estimate).toBeGreaterThan(5000);
    expect(estimate).toBeLessThan(15_000);
    model.running.get("two")?.finish();
    await settle();
    model.running.get("three")?.finish();
    await Promise.all([first, second, third].map(({ done }) => done));
    expect(scheduler).toMatchObject({ running: 0, queued: 0, kvUsedTokens: 0 });
    expect(scheduler.slots).toEqual([{ contextSize: 4096, total: 1, busy: 0 }]);
    expect(statistics.counters).toMatchObject({ completed: 3, promptTokens: 11, completionTokens: 15 });
  });

  it("tells a new estimate as time passes", async () => {
    const scheduler = schedulerWith(1);
    const first = start(scheduler, "one");
    await settle();
    clock.pass(10_000);
    model.running.get("one")?.finish(11);
    await first.done;
    start(scheduler, "two");
    const third = start(scheduler, "three");
    await settle();
    clock.pass(4000);
    await settle();
    const estimates = third.places().map(([, estimate]) => estimate ?? NaN);
    expect(estimates).toHaveLength(2);
    expect((estimates[0] ?? 0) - (estimates[1] ?? 0)).toBeCloseTo(4000, -3);
  });

  it("asks the tokenizer only about what might not fit the smallest slot", async () => {
    const scheduler = schedulerWith(2, 1000);
    start(scheduler, "x".repeat(100));
    await settle();
    expect(model.counted).toBe(0);
    start(scheduler, "y".repeat(890));
    await settle();
    expect(model.counted).toBe(1);
    expect(texts()).toHaveLength(2);
  });

  it("refuses what no slot holds, without a place in the queue", async () => {
    const scheduler = schedulerWith(1, 1000);
    start(scheduler, "one");
    const { done } = start(scheduler, "x".repeat(950), {}, { maxTokens: 51 });
    await expect(done).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      data: { promptTokens: 950, replyTokens: 51, contextTokens: 1000 },
    });
    expect(scheduler.queued).toBe(0);
  });
});

describe("cancelling", () => {
  it("takes a waiting request out at once and frees its place", async () => {
    const scheduler = schedulerWith(1);
    start(scheduler, "one");
    const second = start(scheduler, "two");
    const third = start(scheduler, "three");
    await settle();
    second.stop.abort();
    expect(scheduler.queued).toBe(1);
    await second.done;
    expect(second.reason()).toBe("cancelled");
    await settle();
    expect(third.places()).toEqual([
      [2, null],
      [1, null],
    ]);
    expect(statistics.counters.cancelled).toBe(1);
  });

  it("stops a running request, and its slot goes to the next", async () => {
    const scheduler = schedulerWith(1);
    const first = start(scheduler, "one");
    start(scheduler, "two");
    await settle();
    first.stop.abort();
    await first.done;
    await settle();
    expect(first.reason()).toBe("cancelled");
    expect(texts()).toEqual(["two"]);
    expect(statistics.counters.cancelled).toBe(1);
  });

  it("does not begin what was cancelled before", async () => {
    const scheduler = schedulerWith(1);
    const { done, reason } = start(scheduler, "one", {}, { signal: AbortSignal.abort() });
    await done;
    expect(reason()).toBe("cancelled");
    expect(texts()).toEqual([]);
    expect(scheduler.running).toBe(0);
  });

  it("frees the slot of a reader that goes away, running or waiting", async () => {
    const scheduler = schedulerWith(1);
    const client = { user: "a", priority: "interactive" as const };
    const running = scheduler.generate(ask("one"), client, never);
    await running.next();
    const waiting = scheduler.generate(ask("two"), client, never);
    expect(await waiting.next()).toMatchObject({ value: { type: "queued", place: 1 } });
    const entry = model.running.get("one");
    await running.return();
    expect(entry?.isAborted()).toBe(true);
    await settle();
    // The slot is the waiting one's now, who never asked for it again.
    expect(scheduler).toMatchObject({ running: 1, queued: 0 });
    await waiting.return();
    expect(scheduler).toMatchObject({ running: 0, queued: 0 });
  });

  it("frees the slot of a reader that was cut off and neither reads on nor leaves", async () => {
    const scheduler = schedulerWith(1);
    const client = { user: "a", priority: "interactive" as const };
    const stop = new AbortController();
    const first = start(scheduler, "one");
    await settle();
    const waiting = scheduler.generate(ask("two"), client, stop.signal);
    await waiting.next();
    stop.abort();
    expect(scheduler.queued).toBe(0);
    model.running.get("one")?.finish();
    await first.done;
    expect(scheduler.running).toBe(0);
  });

  it("does not let a slow reader keep its slot after the reply is written", async () => {
    const scheduler = schedulerWith(1);
    const slow = scheduler.generate(ask("one"), { user: "a", priority: "interactive" }, never);
    await slow.next();
    const second = start(scheduler, "two", { user: "b" });
    await settle();
    model.running.get("one")?.finish(5);
    await settle();
    expect(texts()).toEqual(["two"]);
    const rest: ScheduledPart[] = [];
    for await (const part of slow) rest.push(part);
    expect(rest).toHaveLength(6);
    model.running.get("two")?.finish();
    await second.done;
  });
});

describe("refusals", () => {
  it("come when the queue is full, with a time that was measured, later for each who is refused", async () => {
    queueLimit = 2;
    const scheduler = schedulerWith(1);
    const warmUp = start(scheduler, "warm-up");
    await settle();
    clock.pass(20_000);
    model.running.get("warm-up")?.finish(11);
    await warmUp.done;
    for (const text of ["one", "two", "three"]) start(scheduler, text);
    await settle();
    const refused = [start(scheduler, "four"), start(scheduler, "five")];
    const errors = await Promise.all(refused.map(({ done }) => done.catch((error: unknown) => error)));
    expect(errors).toMatchObject([
      { code: "QUEUE_FULL", data: { queued: 2 } },
      { code: "QUEUE_FULL", data: { queued: 2 } },
    ]);
    const [first = 0, second = 0] = errors.map(
      (error) => (error as { data: { retryAfterMs: number } }).data.retryAfterMs,
    );
    // A place is free when the running one ends: as the first, after 20 s.
    expect(first).toBeGreaterThan(10_000);
    expect(first).toBeLessThan(30_000);
    expect(second).toBeGreaterThan(first);
    expect(statistics.counters.refusedQueueFull).toBe(2);
    expect(scheduler.queued).toBe(2);
  });

  it("count those who are still being measured for the queue", async () => {
    queueLimit = 3;
    const scheduler = schedulerWith(1);
    const many = Array.from({ length: 50 }, (_, index) => start(scheduler, `${index}`));
    const outcomes = await Promise.race([
      Promise.allSettled(many.slice(10).map(({ done }) => done)),
      settle().then(() => "late"),
    ]);
    expect(outcomes).not.toBe("late");
    await settle();
    expect(scheduler.queued).toBeLessThanOrEqual(3);
  });

  it("come to a user who has too many waiting, and to nobody else", async () => {
    limits = { a: { queued: 2 } };
    const scheduler = schedulerWith(1);
    for (const text of ["one", "two", "three"]) start(scheduler, text);
    await settle();
    const refused = start(scheduler, "four");
    await expect(refused.done).rejects.toMatchObject({
      code: "RATE_LIMITED",
      data: { limit: "queued-requests", retryAfterMs: 5000 },
    });
    const other = start(scheduler, "five", { user: "b" });
    await settle();
    expect(other.places()).toEqual([[1, null]]);
  });

  it("come to a user whose tokens are used up, until the minute has passed", async () => {
    limits = { a: { tokensPerMinute: 50 } };
    const scheduler = schedulerWith(1);
    const first = start(scheduler, "x".repeat(30));
    await settle();
    model.running.get("x".repeat(30))?.finish(20);
    await first.done;
    const refused = start(scheduler, "two");
    await expect(refused.done).rejects.toMatchObject({
      code: "RATE_LIMITED",
      data: { limit: "tokens-per-minute", retryAfterMs: 60_000 },
    });
    expect(statistics.counters.refusedRateLimited).toBe(1);
    clock.pass(60_000);
    start(scheduler, "three");
    await settle();
    expect(texts()).toEqual(["three"]);
  });
});

describe("an engine that dies", () => {
  it("costs the running reply; who waited only lost a place", async () => {
    const scheduler = schedulerWith(1);
    const first = start(scheduler, "one");
    const second = start(scheduler, "two");
    await settle();
    model.crash();
    await expect(first.done).rejects.toThrow("crashed");
    await expect(second.done).rejects.toBeInstanceOf(PlaceLost);
    expect(statistics.counters.failed).toBe(1);
    expect(scheduler).toMatchObject({ running: 0, queued: 0 });
    const late = start(scheduler, "three");
    await expect(late.done).rejects.toBeInstanceOf(PlaceLost);
  });
});

it("measures the time to the first token with the wait before it", async () => {
  const scheduler = schedulerWith(1);
  const first = start(scheduler, "one");
  const second = start(scheduler, "two");
  await settle();
  clock.pass(300);
  model.running.get("one")?.finish();
  await first.done;
  await settle();
  clock.pass(100);
  model.running.get("two")?.finish();
  await second.done;
  const { boundsMs, counts, sumMs } = statistics.timeToFirstToken.read();
  expect(sumMs).toBe(700);
  expect(counts[boundsMs.indexOf(500)]).toBe(2);
  expect(statistics.queueWait.read().sumMs).toBe(300);
});
