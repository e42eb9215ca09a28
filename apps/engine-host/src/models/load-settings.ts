import type { LoadPlan } from "@corral/protocol";
import type { LoadSettings } from "../engines/engine.ts";
import { batchTokensOf } from "../planning/memory-model.ts";
import { tierOf } from "../planning/precision-tier.ts";

/** Files beside the model's own that its engine uses. */
export interface ServingFiles {
  /** Where KV caches of conversations that lost their slot are kept; null: nowhere. */
  stateDirectory: string | null;
  stateBudgetBytes: number;
  /** Where the draft model lies that a plan may name; null: none was chosen. */
  draftPath: string | null;
}

/** What the engine is told, so that it loads exactly what was planned. */
export function loadSettings(
  plan: LoadPlan,
  purpose: "generate" | "embed" | "rank",
  { stateDirectory, stateBudgetBytes, draftPath }: ServingFiles,
): LoadSettings {
  const generates = purpose === "generate";
  const visibleGpus = plan.gpuLayers > 0 ? plan.devices.map(({ id }) => id).filter((id) => /^(GPU|MIG)-/.test(id)) : [];
  return {
    ...(generates ? {} : { purpose }),
    slots: plan.slots,
    gpuLayers: plan.gpuLayers,
    threads: plan.threads,
    kvCacheType: plan.kvCacheType,
    batchSize: batchTokensOf(plan.placement),
    mapsWeights: mapsWeights(plan),
    ...(visibleGpus.length > 0 ? { visibleGpus } : {}),
    ...(generates && stateDirectory !== null && stateBudgetBytes > 0 ? { stateDirectory, stateBudgetBytes } : {}),
    ...(generates && plan.draft !== undefined && draftPath !== null ? { draft: { path: draftPath } } : {}),
  };
}

/**
 * On a CPU llama.cpp repacks 4-bit weights into layouts of its own: mapped from the file as well, they would be there twice
 * (1B Q4_K_M: 1208 MiB instead of 763). Others it uses as they lie, and mapped they are faster: the page cache keeps them in
 * large pages (100M Q8_0, one thread: 131 tokens per second instead of 107; F16: 80 instead of 68).
 */
function mapsWeights({ gpuLayers, quantization }: LoadPlan): boolean {
  return gpuLayers > 0 || tierOf(quantization) !== "INT4";
}
