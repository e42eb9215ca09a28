import type { LoadPlan } from "@corral/protocol";
import type { LoadSettings } from "../engines/engine.ts";
import { batchTokensOf } from "../planning/memory-model.ts";

/** What the engine is told, so that it loads exactly what was planned. */
export function loadSettings(plan: LoadPlan): LoadSettings {
  const visibleGpus = plan.gpuLayers > 0 ? plan.devices.map(({ id }) => id).filter((id) => /^(GPU|MIG)-/.test(id)) : [];
  return {
    contextSize: plan.contextSize,
    sequences: plan.slots.reduce((sum, { count }) => sum + count, 0),
    gpuLayers: plan.gpuLayers,
    threads: plan.threads,
    kvCacheType: plan.kvCacheType,
    batchSize: batchTokensOf(plan.placement),
    ...(visibleGpus.length > 0 ? { visibleGpus } : {}),
  };
}
