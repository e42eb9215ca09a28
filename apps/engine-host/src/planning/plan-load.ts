import type { GpuDevice, HardwareSnapshot, KvCacheType, LoadPlan } from "@corral/protocol";
import { canQuantizeKvCache } from "./memory-model.ts";
import { placeOnCpu, placeOnGpus, type ModelWeights, type Placement, type UsableGpu } from "./placement.ts";
import { tierLabel, tierOf } from "./precision-tier.ts";

/** The model to load, as its header describes it. */
export interface PlannedModel extends ModelWeights {
  id: string;
  quantization: string;
}

export interface LoadWish {
  /** Tokens of one sequence; null: what suits the model and the machine. */
  contextSize: number | null;
  /** How many replies are to be written side by side. */
  sequences: number;
}

/** Without a wish, a model on the CPU gets this much: more is rarely worth its memory at CPU speed. Tokens. */
const defaultCpuContext = 8192;
/** A context is not reduced below this to make a model fit. Tokens. */
const leastContext = 2048;

/**
 * How to load a model on this machine. Preferred in this order: whole on one GPU, whole on all GPUs, the same with a
 * smaller KV cache type and then a smaller context, part of the layers on GPUs, and only the CPU. Never throws: when
 * nothing fits, `fits` is false, `placement` is "none" and the reasons say what is missing.
 */
export function planLoad(model: PlannedModel, hardware: HardwareSnapshot, wish: LoadWish): LoadPlan {
  const gpus = hardware.gpus.filter(isUsable).toSorted((a, b) => b.freeBytes - a.freeBytes);
  const reasons: string[] = [];
  const chosen = (gpus.length > 0 ? planOnGpus(model, hardware, wish, gpus) : null) ?? planOnCpu(model, hardware, wish);
  const { placement, contextSize, kvCacheType } = chosen;
  const fits = placement.missingBytes === 0;

  reasons.push(fits ? placementReason(placement, gpus) : missingReason(placement));
  const wished = wishedContext(model, wish, placement.kind === "cpu");
  if (fits && contextSize < wished) {
    reasons.push(
      `The context is ${count(contextSize)} tokens instead of ${count(wished)}, because more does not fit into the free memory.`,
    );
  }
  if (wish.contextSize !== null && wish.contextSize > model.shape.trainContextSize) {
    reasons.push(
      `The model was trained for a context of ${count(model.shape.trainContextSize)} tokens, so that is the most it gets.`,
    );
  }
  if (fits && kvCacheType === "q8_0") {
    reasons.push("The KV cache is stored with 8 bits (q8_0) instead of 16, because that makes the context fit.");
  }
  reasons.push(`The weights are ${tierLabel(model.quantization)}.`);
  for (const gpu of hardware.gpus.filter((device) => !isUsable(device))) {
    reasons.push(`${gpu.name} is left out, because its free memory is not known.`);
  }

  const { physicalCores, logicalCores } = hardware.cpu;
  return {
    model: model.id,
    tier: tierOf(model.quantization),
    quantization: model.quantization,
    kvCacheType,
    contextSize,
    slots: [{ contextSize, count: wish.sequences }],
    placement: fits ? placement.kind : "none",
    gpuLayers: placement.gpuLayers,
    // One thread per physical core is fastest; with a single core its second hardware thread still helps.
    threads: Math.max(1, physicalCores, Math.min(2, logicalCores)),
    fits,
    missingBytes: placement.missingBytes,
    devices: placement.devices,
    reasons,
  };
}

interface Choice {
  placement: Placement;
  contextSize: number;
  kvCacheType: KvCacheType;
}

function isUsable(gpu: GpuDevice): gpu is UsableGpu {
  return gpu.freeBytes !== null && gpu.freeBytes > 0;
}

/** The best plan with GPUs that fits; null when none does. */
function planOnGpus(
  model: PlannedModel,
  hardware: HardwareSnapshot,
  wish: LoadWish,
  gpus: readonly UsableGpu[],
): Choice | null {
  const all = model.shape.layers + 1;
  const sets = gpus.length > 1 ? [gpus.slice(0, 1), gpus] : [gpus];
  for (const need of contextChoices(model, wish, false)) {
    for (const set of sets) {
      const placement = placeOnGpus(model, { ...need, sequences: wish.sequences }, hardware, set, all);
      if (placement.missingBytes === 0) return { placement, ...need };
    }
  }
  // Some layers stay in main memory: slower, so the context is what an unasked CPU would get.
  for (const need of contextChoices(model, wish, true)) {
    for (let layers = all - 1; layers > 0; layers--) {
      const placement = placeOnGpus(model, { ...need, sequences: wish.sequences }, hardware, gpus, layers);
      if (placement.missingBytes === 0) return { placement, ...need };
    }
  }
  return null;
}

/** The best plan without GPUs; when nothing fits, the one that misses least. */
function planOnCpu(model: PlannedModel, hardware: HardwareSnapshot, wish: LoadWish): Choice {
  let last: Choice | null = null;
  for (const need of contextChoices(model, wish, true)) {
    const placement = placeOnCpu(model, { ...need, sequences: wish.sequences }, hardware);
    if (placement.missingBytes === 0) return { placement, ...need };
    if (!last || placement.missingBytes < last.placement.missingBytes) last = { placement, ...need };
  }
  if (!last) throw new Error("There is always one context to try.");
  return last;
}

function wishedContext(model: PlannedModel, wish: LoadWish, onCpu: boolean): number {
  const { trainContextSize } = model.shape;
  return Math.min(wish.contextSize ?? (onCpu ? defaultCpuContext : trainContextSize), trainContextSize);
}

/** What to try, best first: the wished context, then halves of it, each with a 16-bit and then an 8-bit KV cache. */
function* contextChoices(
  model: PlannedModel,
  wish: LoadWish,
  onCpu: boolean,
): Generator<{ contextSize: number; kvCacheType: KvCacheType }> {
  for (let contextSize = wishedContext(model, wish, onCpu); ; contextSize = Math.max(leastContext, contextSize >> 1)) {
    yield { contextSize, kvCacheType: "f16" };
    if (canQuantizeKvCache(model.shape)) yield { contextSize, kvCacheType: "q8_0" };
    if (contextSize <= leastContext) return;
  }
}

function placementReason({ kind, gpuLayers, devices }: Placement, gpus: readonly UsableGpu[]): string {
  const first = devices[0]?.name ?? "the GPU";
  switch (kind) {
    case "gpu":
      return gpus.length > 1
        ? `It fits whole on one GPU, ${first}, so the others stay free.`
        : `It fits whole on the GPU, ${first}.`;
    case "multi-gpu":
      return `It does not fit on one GPU, so its layers are spread over ${gpus.length}.`;
    case "partial":
      return `Only ${gpuLayers} layers fit on the GPU; the rest runs on the CPU, which is slower.`;
    case "cpu":
      return gpus.length > 0
        ? "No layer fits on the GPU, so it runs on the CPU."
        : "No GPU is available, so it runs on the CPU.";
  }
}

function missingReason({ devices, missingBytes }: Placement): string {
  const where = devices.map(({ name }) => name).join(" and ");
  return `It does not fit: ${gibibytes(missingBytes)} GiB are missing on ${where}. Choose a smaller model or quantization, or free memory.`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

function count(tokens: number): string {
  return tokens.toLocaleString("en-US");
}
