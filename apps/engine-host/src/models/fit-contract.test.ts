import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hardwareSnapshot, type HardwareSnapshot, type LoadPlan, type ModelShape } from "@corral/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeEngine, type FakeEngine, type FakeScript } from "../engines/fake-engine.ts";
import { readGgufHeader } from "../engines/gguf-header.ts";
import { buildGguf, tinyMetadata, u32 } from "../engines/gguf.test-builder.ts";
import type { Hardware } from "../hardware/hardware.ts";
import { openLogger } from "../logger.ts";
import { neededBytes } from "../planning/placement.ts";
import type { FitMeasurement, ModelFile, Store } from "../store/store.ts";
import { createModels } from "./create-models.ts";
import { FitContract } from "./fit-contract.ts";
import { FitRecord } from "./fit-record.ts";
import type { LibraryModel } from "./model-library.ts";
import type { Models } from "./models.ts";
import { nextRung } from "./next-rung.ts";
import { memorySettings } from "./testing/memory-settings.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const never = new AbortController().signal;
const noDrafts = { chosen: null, offers: [] };
const logger = openLogger({ directory: null, stderr: null });
const sampleGpu = {
  id: "GPU-0",
  index: 0,
  name: "Test GPU",
  vendor: "NVIDIA",
  totalBytes: 24 * gibibyte,
  freeBytes: 20 * gibibyte,
  driver: null,
  source: "test",
};

function machine(availableBytes: number, gpuFreeBytes: number | null = null): HardwareSnapshot {
  return hardwareSnapshot.parse({
    takenAt: new Date(0).toISOString(),
    os: { platform: "linux", distribution: "Test", architecture: "x64" },
    cpu: { name: "Test CPU", physicalCores: 8, logicalCores: 16 },
    memory: { totalBytes: 32 * gibibyte, availableBytes },
    gpus: gpuFreeBytes === null ? [] : [{ ...sampleGpu, freeBytes: gpuFreeBytes }],
    disk: { path: "/", freeBytes: null },
    notes: [],
  });
}

let folder = "";
let now = machine(30 * gibibyte);
/** What the machine says instead, where that depends on what is loaded. */
let live: (() => HardwareSnapshot) | null = null;
let measurements: FitMeasurement[] = [];
let isFull = false;
const hardware: Hardware = {
  snapshot: () => Promise.resolve(live?.() ?? now),
  watch: () => {
    throw new Error("Nobody watches here.");
  },
};
const fitMeasurements: Store["fitMeasurements"] = {
  list: (model) => Promise.resolve(measurements.filter((entry) => entry.model === model).toReversed()),
  add: (entry) => {
    if (isFull) return Promise.reject(new Error("disk full"));
    measurements.push({ ...entry, measuredAt: "" });
    return Promise.resolve();
  },
};
const contract = (load = 0) =>
  new FitContract({ hardware, record: new FitRecord(fitMeasurements), logger, loadAverage: () => load });

/** Wide enough that its KV cache weighs something: 4,096 tokens take 64 MiB in f16. */
const wide = () =>
  buildGguf({
    metadata: {
      ...tinyMetadata(),
      "llama.attention.head_count": u32(64),
      "llama.attention.head_count_kv": u32(64),
      "llama.attention.key_length": u32(32),
      "llama.attention.value_length": u32(32),
    },
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-fit-"));
  now = machine(30 * gibibyte);
  live = null;
  measurements = [];
  isFull = false;
});
afterEach(() => rm(folder, { recursive: true }));

async function libraryModel(id: string): Promise<LibraryModel> {
  const path = join(folder, `${id}.gguf`);
  await writeFile(path, wide());
  const header = await readGgufHeader(path);
  const { fileBytes } = header;
  return { id, name: id, path, fileBytes, embedded: false, header, isAbsent: false, problem: null };
}

interface SetUp extends AsyncDisposable {
  models: Models;
  engine: FakeEngine;
}

async function setUp(script: FakeScript = {}): Promise<SetUp> {
  const engine = createFakeEngine(script);
  const files: ModelFile[] = [];
  const store: Pick<Store, "modelFiles" | "fitMeasurements" | "settings"> = {
    settings: memorySettings(),
    fitMeasurements,
    modelFiles: {
      list: () => Promise.resolve(files),
      add: (entry) => {
        files.push({ ...entry, addedAt: "" });
        return Promise.resolve(files.at(-1)!);
      },
      remove: () => Promise.resolve(),
    },
  };
  const models = createModels({ store, engine, hardware, logger, embeddedModelPath: null, loadAverage: () => 0 });
  for (const name of ["a", "b"]) {
    await writeFile(join(folder, `${name}.gguf`), wide());
    await models.add(join(folder, `${name}.gguf`));
  }
  return { models, engine, [Symbol.asyncDispose]: () => models[Symbol.asyncDispose]() };
}

const mainOf = (plan: LoadPlan | undefined) => {
  const main = plan?.devices.find(({ id }) => id === "cpu");
  if (!main) throw new Error("Every plan has main memory.");
  return main;
};

describe("two loads that start together", () => {
  it("do not both count the same free memory", async () => {
    const [a, b] = [await libraryModel("a"), await libraryModel("b")];
    const alone = (await contract().look(a, noDrafts, never))([]);
    // Room for one with its reserve, and a little more.
    now = machine(neededBytes(mainOf(alone)) + mebibyte);
    const fit = contract();
    const results = await Promise.allSettled([
      fit.reserve(a, noDrafts, null, never),
      fit.reserve(b, noDrafts, null, never),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(results[1]).toMatchObject({ reason: { code: "INSUFFICIENT_MEMORY" } });
    if (results[0].status === "fulfilled") results[0].value?.reservation[Symbol.dispose]();
    expect(await fit.reserve(b, noDrafts, null, never)).toMatchObject({ plan: { fits: true } });
  });
});

describe("a load that fails for memory after all", () => {
  it("falls one rung, says so, and keeps what works", async () => {
    await using given = await setUp({ loadFault: (load) => (load === 1 ? "out-of-memory" : null) });
    const summary = await given.models.load("a", never);
    expect(given.engine.history).toEqual(["load a", "load a"]);
    expect(given.engine.settings.map(({ kvCacheType, slots }) => [kvCacheType, slots[0]?.contextSize])).toEqual([
      ["f16", 4096],
      ["q8_0", 4096],
    ]);
    expect(summary).toMatchObject({ state: "ready", lastError: null, contextSize: 4096 });
    expect(summary.memory?.plan.reasons[0]).toBe(
      "A first try with 4,096 tokens of context and a KV cache of f16 failed for lack of memory, so the KV cache is stored with 8 bits (q8_0) now.",
    );
    expect((await given.models.plan("a")).kvCacheType).toBe("q8_0");
  });

  it("is tried once more, not again and again, and leaves nothing set aside", async () => {
    await using given = await setUp({ loadFault: (load) => (load <= 2 ? "out-of-memory" : null) });
    const before = mainOf(await given.models.plan("a")).freeBytes;
    await expect(given.models.load("a", never)).rejects.toMatchObject({ code: "INSUFFICIENT_MEMORY" });
    expect(given.engine.history).toEqual(["load a", "load a"]);
    expect(mainOf(await given.models.plan("a")).freeBytes).toBe(before);
    const [summary] = await given.models.list();
    expect(summary).toMatchObject({ state: "unloaded", lastError: { code: "INSUFFICIENT_MEMORY" }, memory: null });
  });

  it("does not fall for any other reason", async () => {
    await using given = await setUp({ loadFault: () => "crash" });
    await expect(given.models.load("a", never)).rejects.toMatchObject({ code: "MODEL_LOAD_FAILED" });
    expect(given.engine.history).toEqual(["load a"]);
  });

  it("halves the context once the KV cache has 8 bits, down to 2,048 tokens", async () => {
    const model = await libraryModel("a");
    const shape = model.header!.shape;
    const plan = { ...(await contract().look(model, noDrafts, never))([]), kvCacheType: "q8_0" as const };
    expect(nextRung(plan, shape)).toMatchObject({ kvCacheType: "q8_0", contextSize: 2048 });
    expect(nextRung({ ...plan, contextSize: 2048 }, shape)).toBeNull();
    const odd: ModelShape = { ...shape, keyLength: 80 };
    expect(nextRung({ ...plan, kvCacheType: "f16" }, odd)).toMatchObject({ kvCacheType: "f16", contextSize: 2048 });
  });
});

describe("replacing a model", () => {
  it("counts what it frees: in the plan before, and in the load itself", async () => {
    await using given = await setUp({
      memory: [{ gpu: null, weightsBytes: mebibyte, kvCacheBytes: 64 * mebibyte, computeBytes: 8 * mebibyte }],
    });
    const main = mainOf(await given.models.plan("a"));
    const needs = neededBytes(main) - main.reserveBytes;
    // Not room for two.
    const whole = main.reserveBytes + Math.ceil(1.5 * needs);
    // All but the compute buffer, which nobody has touched, is in use once it is loaded.
    live = () => machine(whole - given.engine.loaded.size * (needs - 8 * mebibyte));
    await given.models.load("a", never);
    expect(mainOf(await given.models.plan("b")).freeBytes).toBe(whole);
    await given.models.load("b", never);
    expect(given.engine.history).toEqual(["load a", "dispose a", "load b"]);
    expect(mainOf((await given.models.list())[1]?.memory?.plan).freeBytes).toBe(whole);
  });
});

describe("what a load took", () => {
  it("is shown beside the plan, with the most the process has had so far, and recorded", async () => {
    const resident = { beforeBytes: 110 * mebibyte, afterBytes: 300 * mebibyte, peakBytes: 320 * mebibyte };
    const memory = [{ gpu: null, weightsBytes: mebibyte, kvCacheBytes: 64 * mebibyte, computeBytes: 8 * mebibyte }];
    await using given = await setUp({ resident, memory });
    await using lease = await given.models.acquire("a", { signal: never });
    resident.peakBytes = 330 * mebibyte;
    const measured = (await given.models.list())[0]?.memory?.measured;
    expect(measured).toEqual([
      {
        id: "cpu",
        name: "Test CPU",
        weightsBytes: mebibyte,
        kvCacheBytes: 64 * mebibyte,
        computeBytes: 8 * mebibyte,
        overheadBytes: 235 * mebibyte,
        beforeBytes: 110 * mebibyte,
        afterBytes: 300 * mebibyte,
        peakBytes: 330 * mebibyte,
      },
    ]);
    const main = mainOf(lease.summary.memory?.plan);
    expect(measurements).toMatchObject([
      {
        model: "a",
        backend: "cpu",
        deviceKind: "Test CPU",
        contextSize: 4096,
        kvCacheType: "f16",
        predicted: { kvCacheBytes: main.kvCacheBytes, overheadBytes: main.overheadBytes },
        measured: { kvCacheBytes: 64 * mebibyte, overheadBytes: 235 * mebibyte },
      },
    ]);
  });

  it("corrects later plans part by part, by at most 30 % of a part, and is not counted twice", async () => {
    const model = await libraryModel("a");
    const first = mainOf((await contract().look(model, noDrafts, never))([]));
    const parts = (part: typeof first) => ({
      weightsBytes: part.weightsBytes,
      kvCacheBytes: part.kvCacheBytes,
      computeBytes: part.computeBytes,
    });
    // 10 % more cache and overhead than predicted, and ten times the compute buffer.
    const took = { ...parts(first), kvCacheBytes: first.kvCacheBytes * 1.1, computeBytes: first.computeBytes * 10 };
    const overheadBytes = Math.round(first.overheadBytes * 1.1);
    const afterBytes = took.weightsBytes + took.kvCacheBytes + overheadBytes;
    const learnt = Math.round(
      first.kvCacheBytes * 0.1 + first.computeBytes * 0.3 + overheadBytes - first.overheadBytes,
    );
    const resident = { beforeBytes: 0, afterBytes, peakBytes: afterBytes };
    await using given = await setUp({ memory: [{ gpu: null, ...took }], resident });
    await given.models.load("a", never);
    await given.models.unload("a");
    for (let round = 1; round <= 2; round++) {
      const next = mainOf(await given.models.plan("a"));
      expect(Math.abs(next.overheadBytes - first.overheadBytes - learnt)).toBeLessThan(2);
      expect(parts(next)).toEqual(parts(first));
      await given.models.load("a", never);
      await given.models.unload("a");
    }
    // Another model has taught nothing.
    expect(mainOf(await given.models.plan("b")).overheadBytes).toBe(first.overheadBytes);
  });

  it("is measured on a GPU by what the device says, and main memory is learnt apart from loads without one", async () => {
    now = machine(30 * gibibyte, 20 * gibibyte);
    const memory = [
      { gpu: 0, weightsBytes: 2 * mebibyte, kvCacheBytes: 64 * mebibyte, computeBytes: 8 * mebibyte },
      { gpu: null, weightsBytes: mebibyte, kvCacheBytes: 0, computeBytes: mebibyte },
    ];
    const engine = createFakeEngine({ memory });
    const fit = contract();
    const model = await libraryModel("a");
    const reserved = await fit.reserve(model, noDrafts, null, never);
    if (!reserved) throw new Error("There is always a first plan.");
    expect(reserved.plan.placement).toBe("gpu");
    const settings = {
      slots: [{ contextSize: 4096, count: 1 }],
      gpuLayers: 3,
      threads: 1,
      kvCacheType: "f16" as const,
    };
    await using loaded = await engine.load({ id: "a", path: model.path }, settings, { signal: never });
    now = machine(30 * gibibyte, 20 * gibibyte - 500 * mebibyte);
    const [gpu, main] = await fit.settle(loaded, reserved);
    expect(gpu).toMatchObject({
      id: "GPU-0",
      kvCacheBytes: 64 * mebibyte,
      overheadBytes: (500 - 74) * mebibyte,
      beforeBytes: 4 * gibibyte,
      afterBytes: 4 * gibibyte + 500 * mebibyte,
    });
    expect(main).toMatchObject({ id: "cpu", weightsBytes: mebibyte, overheadBytes: null });
    measurements = measurements.map((entry) => ({ ...entry, backend: "cuda" }));
    const lessons = await new FitRecord(fitMeasurements).lessons("a", "F32");
    expect([...lessons(now).keys()]).toEqual(["GPU-0", "cpu"]);
    expect([...lessons(machine(gibibyte)).keys()]).toEqual([]);
  });

  it("is measured anew after the first use of a GPU, in which its runtime takes more", async () => {
    now = machine(30 * gibibyte, 20 * gibibyte);
    await using given = await setUp({ memory: [{ gpu: 0, weightsBytes: 1024, kvCacheBytes: 0, computeBytes: 0 }] });
    const lease = await given.models.acquire("a", { signal: never });
    const gpuOf = async () => (await given.models.list())[0]?.memory?.measured[0];
    expect(await gpuOf()).toMatchObject({ id: "GPU-0", overheadBytes: null, afterBytes: 4 * gibibyte });
    // Nothing is learnt from a measurement that cannot be.
    expect(measurements).toEqual([]);
    now = machine(30 * gibibyte, 19 * gibibyte - 1024);
    await lease[Symbol.asyncDispose]();
    await expect.poll(gpuOf).toMatchObject({
      overheadBytes: gibibyte,
      afterBytes: 4 * gibibyte,
      peakBytes: 5 * gibibyte + 1024,
    });
    expect(measurements).toHaveLength(2);
  });

  it("teaches nothing when the engine does not tell", async () => {
    await using given = await setUp();
    expect((await given.models.load("a", never)).memory?.measured).toEqual([]);
    expect(measurements).toEqual([]);
  });

  it("that cannot be recorded does not cost the load", async () => {
    isFull = true;
    await using given = await setUp();
    expect(await given.models.load("a", never)).toMatchObject({ state: "ready" });
  });
});

it("leaves cores that are busy alone", async () => {
  const model = await libraryModel("a");
  expect((await contract(0).look(model, noDrafts, never))([]).threads).toBe(8);
  expect((await contract(5).look(model, noDrafts, never))([]).threads).toBe(3);
  expect((await contract(40).look(model, noDrafts, never))([]).threads).toBe(1);
});
