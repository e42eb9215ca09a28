import type { PlanHardware, LoadPlan, ModelShape, PlanAlternative, PlanPins, PlanPreference } from "@corral/protocol";
import { ladderOf, type Ladder } from "./ladder.ts";
import { machineOf } from "./machine.ts";
import { checkShape } from "./model-shape.ts";
import type { ModelPurpose } from "./memory-model.ts";
import type { ModelWeights } from "./model-weights.ts";
import { reasonsOf } from "./plan-reasons.ts";
import { contextOf, leastContext, PlanSearch, type Choice, type Mode } from "./plan-search.ts";
import { estimateSpeed } from "./speed-estimate.ts";

/** A model to plan for. */
export interface PlannedModel {
  id: string;
  name: string;
  shape: ModelShape;
  isTied: boolean;
  /** The weights of the file at hand; absent: any quantization can be had. */
  file?: ModelWeights;
}

export interface LoadWish {
  /** Tokens of the largest slot; null: what suits the model and the machine. */
  contextSize: number | null;
  /** How many replies are to be written side by side. */
  users: number;
  /** Absent: "balanced". */
  preference?: PlanPreference | undefined;
  pins?: PlanPins | undefined;
  /** To leave free on each device, bytes; absent: 1 GiB. */
  reserveBytes?: number | undefined;
  /** Every slot is of the full size. */
  hasEqualSlots?: boolean;
  /** What it is loaded for. Absent: generate. */
  purpose?: ModelPurpose;
  /** Bytes earlier loads took beyond their plan, by device id. */
  corrections?: ReadonlyMap<string, number>;
}

/** Without a wish, a model that runs at least partly on the CPU gets this much: more is rarely worth its memory. Tokens. */
const defaultCpuContext = 8192;

/**
 * How to load a model on this machine: precision, KV cache type, context, slots and devices, chosen together. Whole on GPUs
 * by the rules of the ladder, else partly on GPUs, else in main memory. When nothing fits, `fits` is false, `placement` is
 * "none", and the plan is the one that misses least.
 * @param others models to name when this one does not fit, best first
 * @param options.hasAlternatives false leaves out the comparison with other choices, which takes most of the time
 * @throws CorralError INVALID_INPUT for a shape no model has, or a quantization of unknown size
 */
export function planLoad(
  model: PlannedModel,
  hardware: PlanHardware,
  wish: LoadWish,
  others: readonly PlannedModel[] = [],
  { hasAlternatives = true }: { hasAlternatives?: boolean } = {},
): LoadPlan {
  checkShape(model.shape);
  const { preference = "balanced", pins = {} } = wish;
  const machine = machineOf(hardware, wish.reserveBytes, wish.corrections);
  const ladder = ladderOf(model.shape, preference, pins, model.file?.quantization ?? null);
  const search = new PlanSearch({
    shape: model.shape,
    isTied: model.isTied,
    file: model.file ?? null,
    machine,
    users: wish.users,
    hasEqualSlots: wish.hasEqualSlots ?? false,
    pins,
    preferLongContext: preference === "longest-context",
    purpose: wish.purpose ?? "generate",
  });
  const wishedIn = (mode: Mode) => wishedContext(model.shape, wish, preference, mode);

  let choice: Choice | null = null;
  let wished = wishedIn("gpu");
  for (const mode of search.modes()) {
    wished = wishedIn(mode);
    choice = search.best(mode, ladder, wished);
    if (choice) break;
  }
  const fits = choice !== null;
  if (!choice) wished = wishedIn("gpu");
  const chosen = choice ?? nearestOf(search, ladder, wished);
  const alternatives = chosen && hasAlternatives ? alternativesOf(search, ladder, wished, chosen, fits) : [];
  if (!chosen) return emptyPlan(model, ladder, wished, wish);

  const { rung, slots, placement } = chosen;
  const placed = search.model(rung.quantization);
  const estimate = estimateSpeed(placed, { slots, kvCacheType: rung.kvCacheType }, placement, hardware);
  const reasons = reasonsOf({
    model,
    chosen,
    fits,
    wished,
    wish,
    ladder,
    alternatives,
    hardware,
    estimate,
    smaller: fits ? null : firstThatFits(model, hardware, wish, others),
  });
  return {
    model: model.id,
    ...rung,
    contextSize: contextOf(chosen),
    slots,
    placement: fits ? placement.kind : "none",
    gpuLayers: placement.gpuLayers,
    threads: threadsOf(hardware),
    fits,
    missingBytes: placement.missingBytes,
    devices: placement.devices,
    estimate,
    reasons,
    alternatives,
  };
}

/** One thread per physical core is fastest; with a single core its second hardware thread still helps. */
function threadsOf({ cpu: { physicalCores, logicalCores } }: PlanHardware): number {
  return Math.max(1, physicalCores, Math.min(2, logicalCores));
}

function wishedContext(shape: ModelShape, wish: LoadWish, preference: PlanPreference, mode: Mode): number {
  const { trainContextSize } = shape;
  const asked = wish.pins?.contextSize ?? wish.contextSize;
  if (preference === "longest-context" && wish.pins?.contextSize === undefined) return trainContextSize;
  return Math.min(asked ?? (mode === "gpu" ? trainContextSize : defaultCpuContext), trainContextSize);
}

/** What misses least. */
function nearestOf(search: PlanSearch, ladder: Ladder, wished: number): Choice | null {
  let nearest: Choice | null = null;
  for (const mode of search.modes()) {
    for (const rung of mode === "partial" ? ladder.partial : new Set([...ladder.atWish, ...ladder.shortened])) {
      const choice = search.nearest(mode, rung, wished);
      if (choice && (!nearest || choice.placement.missingBytes < nearest.placement.missingBytes)) nearest = choice;
    }
  }
  return nearest;
}

/** Every rung at the wished context, and with the longest it holds, kept whole. */
function alternativesOf(
  search: PlanSearch,
  ladder: Ladder,
  wished: number,
  chosen: Choice,
  fits: boolean,
): PlanAlternative[] {
  const [mode] = search.modes();
  if (mode === undefined) return [];
  const alternatives: PlanAlternative[] = [];
  const isWhole = chosen.placement.kind !== "partial" && (mode === "cpu" || chosen.placement.kind !== "cpu");
  const add = (rung: (typeof ladder.all)[number], contextSize: number, missingBytes: number) => {
    const isChosen = fits && isWhole && isSameRung(rung, chosen.rung) && contextSize === contextOf(chosen);
    if (!isChosen) alternatives.push({ ...rung, contextSize, fits: missingBytes === 0, missingBytes });
  };
  for (const rung of ladder.all) {
    const missing = search.nearest(mode, rung, wished)?.placement.missingBytes ?? 0;
    add(rung, wished, missing);
    if (missing === 0 || wished <= leastContext) continue;
    const longest = search.longest(mode, rung, wished);
    if (longest) add(rung, contextOf(longest), 0);
  }
  return alternatives;
}

function isSameRung(one: Choice["rung"], other: Choice["rung"]): boolean {
  return one.quantization === other.quantization && one.kvCacheType === other.kvCacheType;
}

/** The best of the smaller models that fits under the same wishes. */
function firstThatFits(
  model: PlannedModel,
  hardware: PlanHardware,
  wish: LoadWish,
  others: readonly PlannedModel[],
): LoadPlan | null {
  const { tier: _tier, quantization: _quantization, ...pins } = wish.pins ?? {};
  for (const other of others) {
    if (other.shape.parameters >= model.shape.parameters) continue;
    const plan = planLoad(other, hardware, { ...wish, pins });
    if (plan.fits) return plan;
  }
  return null;
}

/** What was asked for does not exist here: a GPU, or a rung with all the pinned parts. */
function emptyPlan(model: PlannedModel, ladder: Ladder, wished: number, wish: LoadWish): LoadPlan {
  const rung = ladder.all[0] ?? { tier: "BF16" as const, quantization: "BF16", kvCacheType: "f16" as const };
  const none = { low: 0, high: 0 };
  const reason =
    ladder.atWish.length === 0
      ? "No way to store this model has all the pinned parts at once. Leave one of them open."
      : "This machine has no GPU with known free memory, and the plan was to use one.";
  return {
    model: model.id,
    ...rung,
    contextSize: wished,
    slots: [{ contextSize: wished, count: wish.users }],
    placement: "none",
    gpuLayers: 0,
    threads: 1,
    fits: false,
    missingBytes: model.file?.weightsBytes ?? 0,
    devices: [],
    estimate: { decodeTokensPerSecond: none, prefillTokensPerSecond: none, loadSeconds: 0 },
    reasons: [reason],
    alternatives: [],
  };
}
