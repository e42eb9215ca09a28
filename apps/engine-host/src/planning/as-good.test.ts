import type { LoadPlan } from "@corral/protocol";
import { expect, it } from "vitest";
import { isAsGood } from "./as-good.ts";
import { parseGpuList } from "./gpu-list.ts";
import { planLoad } from "./plan-load.ts";
import { catalogModel } from "./testing/catalog.ts";

const plan: LoadPlan = planLoad(catalogModel("8b"), parseGpuList("1x H100 80GB"), { contextSize: null, users: 4 });

it.each<[string, Partial<LoadPlan>, boolean]>([
  ["itself", {}, true],
  ["on several GPUs", { placement: "multi-gpu" }, true],
  ["partly in main memory", { placement: "partial" }, false],
  ["on the processor", { placement: "cpu", gpuLayers: 0 }, false],
  ["one that does not fit", { fits: false, placement: "none" }, false],
  ["a shorter context", { contextSize: plan.contextSize - 1 }, false],
  ["a longer context", { contextSize: plan.contextSize + 1 }, true],
  ["a coarser KV cache", { kvCacheType: "q8_0" }, false],
  ["another precision", { quantization: "Q4_K_M" }, false],
  ["two slots instead of four", { slots: [{ contextSize: plan.contextSize, count: 2 }] }, true],
  ["one slot instead of four", { slots: [{ contextSize: plan.contextSize, count: 1 }] }, false],
])("%s", (_name, change, expected) => {
  expect(plan.kvCacheType).toBe("f16");
  expect(isAsGood({ ...plan, ...change }, plan)).toBe(expected);
});

it("counts layers where some stay in main memory", () => {
  const partial = { ...plan, placement: "partial" as const, gpuLayers: 20 };
  expect(isAsGood({ ...partial, gpuLayers: 19 }, partial)).toBe(false);
  expect(isAsGood({ ...partial, gpuLayers: 21 }, partial)).toBe(true);
});
