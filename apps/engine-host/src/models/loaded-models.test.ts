import { afterEach, describe, expect, it } from "vitest";
import type { FakeEngine, FakeScript } from "../engines/fake-engine.ts";
import type { Models } from "./models.ts";
import type { TestClock } from "./testing/test-clock.ts";
import { settle, TestModels } from "./testing/test-models.ts";

const never = new AbortController().signal;

let test: TestModels;
let clock: TestClock;
let engine: FakeEngine;
let models: Models;

async function setUp(script?: FakeScript, names?: string[]): Promise<void> {
  test = await TestModels.create(script, names);
  ({ clock, engine, models } = test);
}

const state = (id: string) => test.state(id);

afterEach(() => test[Symbol.asyncDispose]());

describe("loading", () => {
  it("goes unloaded, loading, ready, idle, unloaded, and tells watchers", async () => {
    await setUp({ loadMs: 40 });
    const seen: string[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const list of models.watch(end.signal)) seen.push(list.find(({ id }) => id === "a")?.state ?? "none");
    })();
    await settle();
    const progress: (number | null)[] = [];
    const lease = await models.acquire("a", { signal: never, onWaiting: (fraction) => progress.push(fraction) });
    await settle();
    expect(await state("a")).toBe("ready");
    await lease[Symbol.asyncDispose]();
    await lease[Symbol.asyncDispose]();
    await settle();
    expect(await models.unload("a")).toMatchObject({ state: "unloaded", contextSize: null });
    await settle();
    end.abort();
    await watching;
    expect(seen.filter((now, index) => now !== seen[index - 1])).toEqual(
      expect.arrayContaining(["unloaded", "loading", "ready", "idle"]),
    );
    expect(seen.at(-1)).toBe("unloaded");
    expect(progress[0]).toBeNull();
    expect(progress).toContain(0.5);
  });

  it("loads once for all who ask, and the reader with its trained context, two sequences and one thread", async () => {
    await setUp({ loadMs: 20 });
    const leases = await Promise.all([1, 2, 3].map(() => models.acquire("corral-reader", { signal: never })));
    expect(engine.history).toEqual(["load corral-reader"]);
    expect(engine.settings[0]).toMatchObject({ slots: [{ contextSize: 4096, count: 2 }], threads: 1, gpuLayers: 0 });
    for (const lease of leases.slice(0, 2)) await lease[Symbol.asyncDispose]();
    expect(await state("corral-reader")).toBe("ready");
    await leases[2]?.[Symbol.asyncDispose]();
    expect(await state("corral-reader")).toBe("idle");
  });

  it("shows how fast a model was once a reply told it", async () => {
    await setUp();
    expect((await models.plan("a")).estimate.measured).toBeUndefined();
    const lease = await models.acquire("a", { signal: never });
    lease.noteSpeed({ promptTokens: 100, cachedTokens: 0, completionTokens: 41, prefillMs: 100, decodeMs: 2000 });
    await lease[Symbol.asyncDispose]();
    await settle();
    const measured = { measured: true, decodeTokensPerSecond: { low: 20, high: 20 } };
    expect((await models.plan("a")).estimate).toMatchObject(measured);
    expect((await models.list())[0]?.memory?.plan.estimate).toMatchObject(measured);
    expect((await models.plan("b")).estimate.measured).toBeUndefined();
  });

  it("keeps as many as fit", async () => {
    await setUp({}, ["a", "b", "c"]);
    await test.makeRoomFor(2);
    await models.load("corral-reader", never);
    await models.load("a", never);
    await models.load("b", never);
    expect([...engine.loaded]).toEqual(["corral-reader", "a", "b"]);
  });

  it("replaces the one unused for longest where there is no room for another, and never the reader", async () => {
    await setUp({}, ["a", "b", "c"]);
    await test.makeRoomFor(2);
    await models.load("corral-reader", never);
    for (const id of ["a", "b"]) {
      await models.load(id, never);
      clock.pass(1000);
    }
    await models.load("a", never);
    clock.pass(1000);
    await models.load("c", never);
    expect(engine.history.slice(1)).toEqual(["load a", "load b", "dispose b", "load c"]);
  });

  it("waits for a model in use rather than taking it away", async () => {
    await setUp();
    await test.makeRoomFor(1);
    const lease = await models.acquire("a", { signal: never });
    const loading = models.load("b", never);
    await settle();
    expect(await state("b")).toBe("pending");
    expect([...engine.loaded]).toEqual(["a"]);
    await lease[Symbol.asyncDispose]();
    await loading;
    expect([...engine.loaded]).toEqual(["b"]);
  });

  it("does not let the users of one model starve those of another", async () => {
    await setUp();
    await test.makeRoomFor(1);
    let lease = await models.acquire("a", { signal: never });
    const loading = models.load("b", never);
    await settle();
    // Somebody always has it.
    const next = await models.acquire("a", { signal: never });
    await lease[Symbol.asyncDispose]();
    lease = next;
    clock.pass(30_000);
    await settle();
    const late = models.acquire("a", { signal: never });
    await settle();
    await lease[Symbol.asyncDispose]();
    await loading;
    await using again = await late;
    expect(again.summary.id).toBe("a");
    expect(engine.history).toEqual(["load a", "dispose a", "load b", "dispose b", "load a"]);
  });

  it("unloads what nobody used for the time that was set, but not the reader", async () => {
    await setUp();
    await models.configure({ keepAliveMs: 60_000 });
    await models.load("a", never);
    await models.load("corral-reader", never);
    clock.pass(59_000);
    await models.load("a", never);
    clock.pass(59_000);
    await settle();
    expect(await state("a")).toBe("idle");
    clock.pass(1000);
    await settle();
    expect([...engine.loaded]).toEqual(["corral-reader"]);
    expect(await state("a")).toBe("unloaded");
  });

  it("never unloads a model in use, nor any when told to keep them, and takes a new time at once", async () => {
    await setUp();
    await models.configure({ keepAliveMs: null });
    const lease = await models.acquire("a", { signal: never });
    await models.load("b", never);
    clock.pass(10 * 3_600_000);
    await models.configure({ keepAliveMs: 1000 });
    clock.pass(1000);
    await settle();
    expect([...engine.loaded]).toEqual(["a"]);
    await lease[Symbol.asyncDispose]();
    clock.pass(1000);
    await settle();
    expect([...engine.loaded]).toEqual([]);
  });

  it("lets a waiting caller leave at once, and stops a load nobody waits for", async () => {
    await setUp({ loadMs: 10_000 });
    const first = new AbortController();
    const second = new AbortController();
    const waits = [first, second].map(({ signal }) => models.acquire("a", { signal }));
    await settle();
    first.abort();
    await expect(waits[0]).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await state("a")).toBe("loading");
    second.abort();
    await expect(waits[1]).rejects.toMatchObject({ code: "CANCELLED" });
    await settle();
    expect(await state("a")).toBe("unloaded");
    expect((await models.list())[0]?.lastError).toBeNull();
  });

  it("starts anew for a caller who comes while a withdrawn load is still ending", async () => {
    await setUp({ loadMs: 50 });
    const first = new AbortController();
    const withdrawn = models.acquire("a", { signal: first.signal });
    await settle();
    first.abort();
    const next = models.acquire("a", { signal: never });
    await expect(withdrawn).rejects.toMatchObject({ code: "CANCELLED" });
    await using lease = await next;
    expect(lease.summary.id).toBe("a");
  });

  it("refuses what does not fit, naming what is missing", async () => {
    await setUp();
    test.available = 2 ** 30;
    await expect(models.load("a", never)).rejects.toMatchObject({
      code: "INSUFFICIENT_MEMORY",
      data: { devices: [{ id: "cpu", freeBytes: 2 ** 30 }] },
    });
    expect(engine.history).toEqual([]);
    const plan = await models.plan("a");
    expect(plan).toMatchObject({ fits: false, placement: "none" });
    test.available = 30 * 2 ** 30;
    expect((await models.load("a", never)).state).toBe("ready");
  });

  it("lets running replies finish before it unloads", async () => {
    await setUp();
    const lease = await models.acquire("a", { signal: never });
    let isUnloaded = false;
    const unloading = models.unload("a").then(() => (isUnloaded = true));
    await settle();
    expect(isUnloaded).toBe(false);
    await lease[Symbol.asyncDispose]();
    await unloading;
    expect(await state("a")).toBe("unloaded");
  });

  it("ends everything when disposed of", async () => {
    await setUp({ loadMs: 5000 });
    const loading = models.acquire("a", { signal: never });
    await settle();
    await models[Symbol.asyncDispose]();
    await expect(loading).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(models.acquire("b", { signal: never })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(engine.loaded.size).toBe(0);
  });
});
