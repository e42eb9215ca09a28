import type { PlanHardware, LoadPlan, PlanAlternative, PrecisionTier, SpeedEstimate } from "@corral/protocol";
import type { Ladder, Rung } from "./ladder.ts";
import { isUsable } from "./machine.ts";
import { neededBytes } from "./placement.ts";
import type { LoadWish, PlannedModel } from "./plan-load.ts";
import { contextOf, type Choice } from "./plan-search.ts";
import { tierLabel } from "./precision-tier.ts";

export interface Decision {
  model: PlannedModel;
  chosen: Choice;
  fits: boolean;
  /** Tokens. */
  wished: number;
  wish: LoadWish;
  ladder: Ladder;
  alternatives: readonly PlanAlternative[];
  hardware: PlanHardware;
  estimate: SpeedEstimate;
  /** The best smaller model, when this one does not fit. */
  smaller: LoadPlan | null;
}

const rank: Record<PrecisionTier, number> = { BF16: 0, FP8: 1, INT4: 2 };

/** Why the plan is as it is, in sentences, most important first. */
export function reasonsOf(decision: Decision): string[] {
  const { chosen, fits, hardware } = decision;
  return [
    ...(fits ? placementReasons(decision) : missingReasons(decision)),
    ...contextReasons(decision),
    ...rungReasons(decision),
    weightsReason(decision),
    ...slotReasons(decision),
    ...(chosen.rung.quantization === "Q8_0"
      ? [
          "The FP8 tier is stored as Q8_0 here: 8 bits per weight and a scale for each 32, as llama.cpp has no FP8 weights.",
        ]
      : []),
    ...hardware.gpus
      .filter((gpu) => !isUsable(gpu))
      .map((gpu) => `${gpu.name} is left out: no model can be put there, or its free memory is not known.`),
  ];
}

function placementReasons({ chosen: { placement }, hardware, estimate }: Decision): string[] {
  const { kind, gpuLayers, devices } = placement;
  const gpus = devices.slice(0, -1);
  const usable = hardware.gpus.filter(isUsable).length;
  const { low, high } = estimate.decodeTokensPerSecond;
  const speed = `estimated at ${low} to ${high} tokens per second`;
  switch (kind) {
    case "gpu":
      return [
        usable > 1
          ? `It fits whole on one GPU, ${gpus[0]?.name}, so the others stay free.`
          : `It fits whole on the GPU, ${gpus[0]?.name}.`,
      ];
    case "multi-gpu": {
      const counted = gpus.length === usable ? `all ${usable}` : `${gpus.length} of ${usable}`;
      return [
        `It does not fit on fewer GPUs, so its layers are dealt to ${counted}, in proportion to what is free on each.`,
        ...unequalReasons(gpus),
      ];
    }
    case "partial":
      return [
        `It does not fit whole on the GPU: ${gpuLayers} layers lie there, the rest in main memory, which is slower (${speed}).`,
      ];
    case "cpu":
      return [
        usable > 0
          ? `No layer fits on the GPU, so it runs on the processor (${speed}).`
          : `There is no GPU to use, so it runs on the processor (${speed}).`,
      ];
  }
}

function unequalReasons(gpus: readonly LoadPlan["devices"][number][]): string[] {
  const least = Math.min(...gpus.map(({ reserveBytes }) => reserveBytes));
  if (gpus.every(({ reserveBytes }) => reserveBytes === least)) return [];
  return [
    "llama.cpp deals whole layers by what is free when it loads, so cards keep room for one layer more where that can change.",
  ];
}

function missingReasons({ chosen, wished, smaller, model }: Decision): string[] {
  const short = chosen.placement.devices.filter((device) => neededBytes(device) > device.freeBytes);
  const where = [...new Set(short.map(({ id, name }) => (id === "cpu" ? "main memory" : name)))].join(" and ");
  const what = `${model.name} does not fit: with ${rungName(chosen.rung)} and ${tokens(wished)} tokens`;
  return [
    `${what}, ${gibibytes(chosen.placement.missingBytes)} GiB are missing${where ? ` on ${where}` : ""}.`,
    smaller
      ? `${smaller.model} would fit: ${smaller.tier} with ${tokens(smaller.contextSize)} tokens.`
      : "Choose a smaller model, or free memory.",
  ];
}

function contextReasons({ chosen, fits, wished, wish, model, ladder }: Decision): string[] {
  const reasons: string[] = [];
  const { trainContextSize } = model.shape;
  const asked = wish.pins?.contextSize ?? wish.contextSize ?? 0;
  if (asked > trainContextSize) {
    reasons.push(
      `The model was trained for a context of ${tokens(trainContextSize)} tokens, so that is the most it gets.`,
    );
  }
  if (fits && contextOf(chosen) < wished) {
    const tried = new Set(ladder.atWish.map(({ tier }) => tier)).size;
    reasons.push(
      tried > 1
        ? `The context is ${tokens(contextOf(chosen))} tokens instead of ${tokens(wished)}: no precision tier holds that much in the free memory.`
        : `The context is ${tokens(contextOf(chosen))} tokens instead of ${tokens(wished)}, because more does not fit into the free memory.`,
    );
  }
  return reasons;
}

/** What was tried before and why it was not taken, and what a better tier would hold. */
function rungReasons({ chosen, fits, wished, ladder, alternatives }: Decision): string[] {
  if (!fits) return [];
  const reasons: string[] = [];
  const at = ladder.atWish.findIndex((rung) => isRung(rung, chosen.rung));
  const before = at < 0 ? ladder.atWish : ladder.atWish.slice(0, at);
  for (const rung of before) {
    const tried = alternatives.find((other) => isRung(other, rung) && other.contextSize === wished);
    if (tried && !tried.fits) {
      reasons.push(`${rungName(rung)} lacks ${gibibytes(tried.missingBytes)} GiB at ${tokens(wished)} tokens.`);
    }
  }
  const better = alternatives.filter((other) => other.fits && rank[other.tier] < rank[chosen.rung.tier]);
  const longest = new Map<PrecisionTier, PlanAlternative>();
  for (const other of better) {
    if (other.contextSize > (longest.get(other.tier)?.contextSize ?? 0)) longest.set(other.tier, other);
  }
  for (const other of longest.values()) {
    reasons.push(`${rungName(other)} would fit with up to ${tokens(other.contextSize)} tokens.`);
  }
  for (const tier of ["BF16", "FP8"] as const) {
    const isTried = ladder.all.some((rung) => rung.tier === tier);
    if (isTried && rank[tier] < rank[chosen.rung.tier] && !longest.has(tier)) {
      reasons.push(`${tier} would not fit here with any useful context.`);
    }
  }
  if (chosen.rung.kvCacheType === "q8_0") {
    reasons.push("The KV cache is stored with 8 bits (q8_0) instead of 16, which holds almost twice the context.");
  }
  return reasons;
}

function weightsReason({ chosen }: Decision): string {
  const { devices } = chosen.placement;
  const weights = devices.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
  const total = devices.reduce((sum, device) => sum + neededBytes(device), 0);
  return `The weights alone (${tierLabel(chosen.rung.quantization)}) take ${gibibytes(weights)} GiB; with the KV cache for ${tokens(contextOf(chosen))} tokens, compute buffers, overhead and reserve it is ${gibibytes(total)} GiB.`;
}

function slotReasons({ chosen: { slots }, wish }: Decision): string[] {
  if (wish.users === 1) return [];
  const [first, second] = slots;
  if (!second) return [`Each of the ${wish.users} users has a context of ${tokens(first?.contextSize ?? 0)} tokens.`];
  return [
    `One conversation at a time can use ${tokens(first?.contextSize ?? 0)} tokens, ${second.count} more have ${tokens(second.contextSize)} each: full contexts for all ${wish.users} would not fit.`,
  ];
}

function isRung(one: Rung, other: Rung): boolean {
  return one.quantization === other.quantization && one.kvCacheType === other.kvCacheType;
}

function rungName({ tier, quantization, kvCacheType }: Rung): string {
  const label = tier === quantization ? tier : `${tier} (${quantization})`;
  return `${label} with ${kvCacheType} KV cache`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

function tokens(count: number): string {
  // The first toLocaleString of a process costs more than the whole plan.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
