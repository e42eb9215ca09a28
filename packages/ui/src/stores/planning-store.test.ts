// @vitest-environment happy-dom
import { ORPCError } from "@orpc/client";
import type { FitMatrix, FitMatrixRequest, LoadPlan, PlanRequest } from "@corral/protocol";
import { beforeEach, expect, test, vi } from "vitest";
import type { StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleHardware, samplePlan } from "../gallery/sample-models.ts";
import { sampleMatrix } from "../gallery/sample-planning.ts";
import { createPlanningStore, type PlanningState } from "./planning-store.ts";

/** Answers like a host that plans: what was asked for comes back in the plan. */
const planFor = vi.fn<(request: PlanRequest) => Promise<LoadPlan>>();
const matrix = vi.fn<(request: FitMatrixRequest) => Promise<FitMatrix>>();
let store: StoreApi<PlanningState>;

beforeEach(() => {
  vi.resetAllMocks();
  planFor.mockImplementation((request) => Promise.resolve(planOf(request)));
  matrix.mockImplementation(() => Promise.resolve(sampleMatrix));
  const sample = sampleConnection(false);
  const client = { ...(sample.client as object), models: { planFor, matrix } };
  store = createPlanningStore({ ...sample, client } as unknown as Connection);
});

function planOf({ model, pins, contextSize, users }: PlanRequest): LoadPlan {
  return {
    ...samplePlan,
    model,
    tier: pins?.tier ?? "BF16",
    quantization: pins?.quantization ?? "BF16",
    contextSize: pins?.contextSize ?? contextSize ?? 0,
    slots: [{ contextSize: contextSize ?? 0, count: users ?? 1 }],
  };
}
const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => resolve()));
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await frame();
}
/** A promise that is kept by hand. */
function held<Value>(value: Value): { promise: Promise<Value>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<Value>();
  return { promise, release: () => resolve(value) };
}

test("asks nothing before the machine is known, then follows what is recommended", async () => {
  const stop = store.getState().watch();
  await settled();
  expect(matrix).not.toHaveBeenCalled();
  store.getState().setHardware(sampleHardware);
  await settled();
  expect(store.getState().matrix).toBe(sampleMatrix);
  expect(store.getState().plan).toMatchObject({ model: "llama-3.1-8b-instruct", tier: "BF16", contextSize: 131_072 });
  expect(matrix.mock.calls[0]![0]).toMatchObject({ hardware: sampleHardware, users: 1, preference: "balanced" });
  stop();
});

test("a slider that moves: never two plans at a time, the old one stays, the last wish is answered", async () => {
  store.getState().setHardware(sampleHardware);
  await settled();
  planFor.mockClear();
  matrix.mockClear();
  const first = held(sampleMatrix);
  matrix.mockImplementationOnce(() => first.promise);

  for (const contextSize of [65_536, 32_768]) store.getState().setWishes({ contextSize });
  await settled();
  expect(matrix.mock.calls.map(([request]) => request.contextSize)).toEqual([32_768]);
  for (const contextSize of [16_384, 8192, 4096]) {
    store.getState().setWishes({ contextSize });
    await frame();
  }
  expect(matrix).toHaveBeenCalledTimes(1);
  expect(store.getState().plan!.contextSize).toBe(131_072);
  first.release();
  await settled();
  expect(matrix.mock.calls.map(([request]) => request.contextSize)).toEqual([32_768, 4096]);
  expect(store.getState().plan!.contextSize).toBe(4096);
});

test("a chosen cell is planned in its tier, and an alternative is pinned over it", async () => {
  store.getState().setHardware(sampleHardware);
  store.getState().choose({ model: "llama-3.3-70b-instruct", tier: "INT4" });
  await settled();
  expect(store.getState().plan).toMatchObject({ model: "llama-3.3-70b-instruct", tier: "INT4" });

  const pins = { tier: "FP8", quantization: "Q8_0", kvCacheType: "q8_0", contextSize: 8192 } as const;
  store.getState().pin(pins);
  await settled();
  expect(store.getState().plan).toMatchObject({ tier: "FP8", contextSize: 8192 });
  expect(store.getState().unpinned).toMatchObject({ tier: "INT4", contextSize: 131_072 });

  store.getState().setWishes({ contextSize: 16_384 });
  await settled();
  expect(store.getState().plan).toMatchObject({ tier: "FP8", quantization: "Q8_0", contextSize: 16_384 });
  store.getState().pin(null);
  await settled();
  expect(store.getState().plan).toMatchObject({ tier: "INT4", contextSize: 16_384 });
});

test("another machine is planned for by its description; a wrong one leaves what was shown", async () => {
  store.getState().setHardware(sampleHardware);
  await settled();
  store.getState().setMachine("8x H100 80GB");
  await settled();
  expect(store.getState().plannedMachine).toBe("8x H100 80GB");
  const asked = matrix.mock.lastCall![0];
  expect(asked).toMatchObject({ gpus: "8x H100 80GB" });
  expect(asked).not.toHaveProperty("hardware");

  const message = "“8x Q100” is no card Corral knows.";
  matrix.mockRejectedValueOnce(
    new ORPCError("INVALID_INPUT", { defined: true, message, data: { field: "gpus", reason: "" } }),
  );
  store.getState().setMachine("8x Q100");
  await settled();
  expect(store.getState()).toMatchObject({
    machine: "8x H100 80GB",
    plannedMachine: "8x H100 80GB",
    matrix: sampleMatrix,
    error: null,
    machineError: { code: "INVALID_INPUT", message },
  });
  store.getState().setMachine("");
  await settled();
  expect(store.getState()).toMatchObject({ plannedMachine: "", machineError: null });
});

test("a failure is told and the next move tries again", async () => {
  matrix.mockRejectedValueOnce(new ORPCError("FILE_NOT_FOUND", { defined: true, message: "No list.", data: {} }));
  store.getState().setHardware(sampleHardware);
  await settled();
  expect(store.getState().error).toMatchObject({ message: "No list." });
  store.getState().setWishes({ users: 4 });
  await settled();
  expect(store.getState()).toMatchObject({ error: null, plan: { slots: [{ count: 4 }] } });
});
