import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HardwareSnapshot, ModelSummary } from "@corral/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeEngine, type FakeEngine, type FakeScript } from "../engines/fake-engine.ts";
import { buildGguf } from "../engines/gguf.test-builder.ts";
import { openLogger } from "../logger.ts";
import type { FitMeasurement, ModelFile, Store } from "../store/store.ts";
import { createModels } from "./create-models.ts";
import type { Models } from "./models.ts";
import { memorySettings } from "./testing/memory-settings.ts";
import { TestClock } from "./testing/test-clock.ts";

const never = new AbortController().signal;
const readerFile = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const gibibyte = 2 ** 30;
const logger = openLogger({ directory: null, stderr: null });

function memoryStore(): Pick<Store, "modelFiles" | "fitMeasurements" | "settings"> {
  let files: ModelFile[] = [];
  measurements = [];
  return {
    settings: memorySettings(),
    fitMeasurements: {
      list: (model, quantization) =>
        Promise.resolve(
          measurements.filter((entry) => entry.model === model && entry.quantization === quantization).toReversed(),
        ),
      add: (entry) => {
        measurements.push({ ...entry, measuredAt: new Date(0).toISOString() });
        return Promise.resolve();
      },
    },
    modelFiles: {
      list: () => Promise.resolve(files),
      add: (entry) => {
        const file = { ...entry, addedAt: new Date(0).toISOString() };
        files = [...files, file];
        return Promise.resolve(file);
      },
      remove: (id) => {
        files = files.filter((file) => file.id !== id);
        return Promise.resolve();
      },
    },
  };
}

const machine = (availableBytes: number): HardwareSnapshot => ({
  takenAt: new Date(0).toISOString(),
  os: { platform: "linux", distribution: "Test", architecture: "x64" },
  cpu: { name: "Test CPU", physicalCores: 4, logicalCores: 8, instructionSets: [] },
  memory: { totalBytes: 32 * gibibyte, availableBytes },
  numaNodes: [],
  gpus: [],
  runtimes: { cuda: null, rocm: null },
  disk: { path: "/", freeBytes: null },
  notes: [],
});

let folder = "";
let measurements: FitMeasurement[] = [];
let clock: TestClock;
let engine: FakeEngine;
let models: Models;
let available = 0;

/** With the reader and these registered files. */
async function setUp(script: FakeScript = {}, names: string[] = ["a", "b"], withReader = true): Promise<void> {
  clock = new TestClock();
  engine = createFakeEngine(script);
  available = 30 * gibibyte;
  models = createModels({
    store: memoryStore(),
    engine,
    hardware: {
      snapshot: () => Promise.resolve(machine(available)),
      watch: () => {
        throw new Error("Nobody watches here.");
      },
    },
    logger,
    embeddedModelPath: join(folder, "reader.gguf"),
    clock,
  });
  if (withReader) await writeFile(join(folder, "reader.gguf"), buildGguf());
  for (const name of names) {
    await writeFile(join(folder, `${name}.gguf`), buildGguf());
    await models.add(join(folder, `${name}.gguf`));
  }
}

const state = async (id: string) => (await models.list()).find((model) => model.id === id)?.state;
const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-models-"));
});
afterEach(async () => {
  await models[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("the library", () => {
  it("lists the default model first: a registered file before the reader", async () => {
    await setUp();
    expect((await models.list()).map(({ id }) => id)).toEqual(["a", "b", "corral-reader"]);
    const [first, , reader] = await models.list();
    expect(first).toMatchObject({ name: "Tiny", ability: "chat", embedded: false, quantization: "F32", tier: "BF16" });
    expect(reader).toMatchObject({ ability: "quote", embedded: true, state: "unloaded" });
  });

  it("knows a copy of the reader for what it is: it quotes, and is not the default", async () => {
    await setUp({}, []);
    const copy = join(folder, "copy.gguf");
    await copyFile(readerFile, copy);
    expect(await models.add(copy)).toMatchObject({ id: "copy", ability: "quote", embedded: false });
    expect((await models.list()).map(({ id }) => id)).toEqual(["corral-reader", "copy"]);
  });

  it("has only the reader at first, and no model at all without its file", async () => {
    await setUp({}, []);
    expect((await models.list()).map(({ id }) => id)).toEqual(["corral-reader"]);
    await rm(join(folder, "reader.gguf"));
    expect(await models.list()).toEqual([]);
    await expect(models.acquire(null, { signal: never })).rejects.toMatchObject({ code: "NO_MODEL" });
  });

  it("gives ids from file names, each once, and the same file the same id", async () => {
    await setUp({}, []);
    const other = await mkdtemp(join(folder, "x-"));
    const paths = [
      join(folder, "Llama 3.1 (8B) Q4_K_M.GGUF"),
      join(other, "llama-3.1-8b-q4_k_m.gguf"),
      join(folder, "ü.gguf"),
    ];
    for (const path of paths) await writeFile(path, buildGguf());
    // At the same time: the two of the same name must still get different ids, and each file one.
    const added = await Promise.all([...paths, ...paths].map((path) => models.add(path)));
    const ids = added.map(({ id }) => id);
    expect(ids.slice(0, 3).toSorted()).toEqual(["llama-3.1-8b-q4_k_m", "llama-3.1-8b-q4_k_m-2", "u"]);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  });

  it("refuses files that are no models", async () => {
    await setUp();
    await expect(models.add(join(folder, "none.gguf"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await writeFile(join(folder, "zero.gguf"), "");
    await expect(models.add(join(folder, "zero.gguf"))).rejects.toMatchObject({ code: "EMPTY_FILE" });
    await writeFile(join(folder, "page.gguf"), "<html>404</html>");
    await expect(models.add(join(folder, "page.gguf"))).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
    expect(await models.list()).toHaveLength(3);
  });

  it("shows a file that is gone as absent, last, and takes another default", async () => {
    await setUp();
    await rm(join(folder, "a.gguf"));
    expect((await models.list()).map((model) => [model.id, model.state])).toEqual([
      ["b", "unloaded"],
      ["corral-reader", "unloaded"],
      ["a", "absent"],
    ]);
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await using lease = await models.acquire(null, { signal: never });
    expect(lease.summary.id).toBe("b");
  });

  it("reports a file that was damaged after it was added", async () => {
    await setUp();
    await writeFile(join(folder, "a.gguf"), "GGUF and nothing more");
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
    expect((await models.list())[0]?.lastError?.code).toBe("MODEL_FILE_INVALID");
    expect(engine.history).toEqual([]);
  });

  it("forgets a model but not the reader", async () => {
    await setUp();
    await models.load("a", never);
    await models.remove("a");
    expect(engine.history).toEqual(["load a", "dispose a"]);
    expect(await state("a")).toBeUndefined();
    await expect(models.remove("a")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(models.remove("corral-reader")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

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

  it("keeps one model beside the reader and replaces the idle one", async () => {
    await setUp();
    await models.load("corral-reader", never);
    await models.load("a", never);
    await models.load("b", never);
    expect(engine.history).toEqual(["load corral-reader", "load a", "dispose a", "load b"]);
    expect([...engine.loaded]).toEqual(["corral-reader", "b"]);
  });

  it("waits for a model in use rather than taking it away", async () => {
    await setUp();
    const lease = await models.acquire("a", { signal: never });
    const loading = models.load("b", never);
    await settle();
    expect(await state("b")).toBe("pending");
    expect([...engine.loaded]).toEqual(["a"]);
    await lease[Symbol.asyncDispose]();
    await loading;
    expect([...engine.loaded]).toEqual(["b"]);
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
    available = gibibyte;
    await expect(models.load("a", never)).rejects.toMatchObject({
      code: "INSUFFICIENT_MEMORY",
      data: { devices: [{ id: "cpu", freeBytes: gibibyte }] },
    });
    expect(engine.history).toEqual([]);
    const plan = await models.plan("a");
    expect(plan).toMatchObject({ fits: false, placement: "none" });
    available = 30 * gibibyte;
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

describe("crashes", () => {
  const crashOnce = async () => {
    const lease = await models.acquire("a", { signal: never });
    engine.crash("a");
    await lease[Symbol.asyncDispose]();
    await settle();
  };

  it("loads again at the next use, after a pause of 1 s and then 2 s", async () => {
    await setUp();
    await crashOnce();
    expect((await models.list())[0]).toMatchObject({ state: "unloaded", lastError: { code: "ENGINE_CRASHED" } });
    for (const seconds of [1, 2]) {
      const again = models.acquire("a", { signal: never });
      await settle();
      expect(clock.sleeping).toEqual([seconds * 1000]);
      expect(await state("a")).toBe("pending");
      clock.pass(seconds * 1000);
      const lease = await again;
      expect((await models.list())[0]?.lastError).toBeNull();
      await lease[Symbol.asyncDispose]();
      if (seconds === 1) await crashOnce();
    }
    expect(engine.history).toEqual(["load a", "crash a", "load a", "crash a", "load a"]);
  });

  it("gives the lease of a crashed model no power over its successor", async () => {
    await setUp();
    const old = await models.acquire("a", { signal: never });
    engine.crash("a");
    await settle();
    clock.pass(1000);
    await using lease = await models.acquire("a", { signal: never });
    await old[Symbol.asyncDispose]();
    expect(await state("a")).toBe("ready");
    expect(lease.model).not.toBe(old.model);
  });

  it("quarantines after three crashes in five minutes, and only that model", async () => {
    await setUp();
    for (let crash = 1; crash <= 3; crash++) {
      await crashOnce();
      clock.pass(60_000);
    }
    expect(await state("a")).toBe("quarantined");
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({
      code: "MODEL_QUARANTINED",
      data: { model: "a", retryAfterMs: 240_000 },
    });
    await using other = await models.acquire("b", { signal: never });
    expect(other.summary.id).toBe("b");
    clock.pass(240_000);
    expect(await state("a")).toBe("unloaded");
  });

  it("does not quarantine three crashes spread over more than five minutes", async () => {
    await setUp();
    for (let crash = 1; crash <= 4; crash++) {
      await crashOnce();
      clock.pass(200_000);
    }
    expect(await state("a")).toBe("unloaded");
  });

  it("counts an engine that dies while it loads, but not a lack of memory, which each time is tried twice", async () => {
    await setUp({ loadFault: (load) => (load <= 3 ? "crash" : load <= 11 ? "out-of-memory" : null) });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await expect(models.load("a", never)).rejects.toMatchObject({ code: "MODEL_LOAD_FAILED" });
      clock.pass(60_000);
    }
    await expect(models.load("a", never)).rejects.toMatchObject({ code: "MODEL_QUARANTINED" });
    for (let attempt = 1; attempt <= 4; attempt++) {
      await expect(models.load("b", never)).rejects.toMatchObject({ code: "INSUFFICIENT_MEMORY" });
    }
    expect(await state("b")).toBe("unloaded");
  });

  it("cancels a load that hangs", async () => {
    await setUp({ loadFault: () => "hang" });
    const stop = new AbortController();
    const loading = models.load("a", stop.signal);
    await settle();
    stop.abort();
    await expect(loading).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("watching", () => {
  it("gives the list at once and ends with its signal", async () => {
    await setUp();
    const end = new AbortController();
    const lists: ModelSummary[][] = [];
    for await (const list of models.watch(end.signal)) {
      lists.push(list);
      end.abort();
    }
    expect(lists).toHaveLength(1);
  });
});
