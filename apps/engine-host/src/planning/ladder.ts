import type { KvCacheType, ModelShape, PlanPins, PlanPreference, PrecisionTier } from "@corral/protocol";
import { canQuantizeKvCache } from "./memory-model.ts";
import { tierOf } from "./precision-tier.ts";

/** One way to store a model and its KV cache. */
export interface Rung {
  tier: PrecisionTier;
  quantization: string;
  kvCacheType: KvCacheType;
}

/** The rungs of a plan, best first. */
export interface Ladder {
  /** Tried at the wished context. */
  atWish: Rung[];
  /** Tried, the first that holds enough, when the wished context fits with none. */
  shortened: Rung[];
  /**
   * The same when part of the model stays in main memory. There a smaller tier is a faster one; but IQ4_XS, whose values
   * are looked up in a table, is slow on processors.
   */
  partial: Rung[];
  /** Every rung, for the comparison. */
  all: Rung[];
}

/** Below this many parameters 4 bits cost a model too much of what it knows. */
const tooSmallForInt4 = 4e9;

const rung = (quantization: string, kvCacheType: KvCacheType): Rung => ({
  tier: tierOf(quantization),
  quantization,
  kvCacheType,
});
const bf16 = [rung("BF16", "f16"), rung("BF16", "q8_0")] as const;
const fp8 = [rung("Q8_0", "f16"), rung("Q8_0", "q8_0")] as const;
const int4 = [rung("Q4_K_M", "f16"), rung("Q4_K_M", "q8_0"), rung("IQ4_XS", "q8_0")] as const;
const everyRung: readonly Rung[] = [...bf16, ...fp8, ...int4];

/**
 * The order in which precisions are tried.
 * @param fileQuantization of the file at hand, which cannot change; null: any
 */
export function ladderOf(
  shape: ModelShape,
  preference: PlanPreference,
  pins: PlanPins,
  fileQuantization: string | null,
): Ladder {
  const fixed = pins.quantization?.toUpperCase() ?? fileQuantization;
  const all = usable(shape, fixed === null ? everyRung : [rung(fixed, "f16"), rung(fixed, "q8_0")]);
  const isPinned = fixed !== null || pins.tier !== undefined || pins.kvCacheType !== undefined;
  const allowed = all.filter(
    ({ tier, kvCacheType }) =>
      (pins.tier === undefined || tier === pins.tier) &&
      (pins.kvCacheType === undefined || kvCacheType === pins.kvCacheType),
  );
  const inOrder = isPinned ? allowed : usable(shape, orderOf(shape, preference));
  // An 8-bit cache holds twice the context, so the 16-bit one stands back when the context is short anyway.
  const shortOrder = preference === "speed" ? inOrder : allowed;
  const eightBit = shortOrder.filter(({ kvCacheType }) => kvCacheType === "q8_0");
  const inMemory = fixed === null ? inOrder.filter(({ quantization }) => quantization !== "IQ4_XS") : inOrder;
  const small = inMemory.filter(({ tier }) => tier === "INT4");
  return {
    atWish: inOrder,
    shortened: eightBit.length > 0 ? eightBit : shortOrder,
    partial: preference === "quality" || small.length === 0 ? inMemory : small,
    all: fixed === null ? all : allowed,
  };
}

function orderOf({ parameters }: ModelShape, preference: PlanPreference): readonly Rung[] {
  switch (preference) {
    case "balanced":
    case "longest-context":
      return [bf16[0], ...fp8, ...int4];
    case "quality":
      return everyRung;
    case "speed":
      return parameters < tooSmallForInt4 ? [...fp8, ...int4, ...bf16] : [...int4, ...fp8, ...bf16];
  }
}

function usable(shape: ModelShape, rungs: readonly Rung[]): Rung[] {
  return rungs.filter(({ kvCacheType }) => kvCacheType === "f16" || canQuantizeKvCache(shape));
}
