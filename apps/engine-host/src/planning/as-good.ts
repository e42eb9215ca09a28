import type { LoadPlan, PlacementKind } from "@corral/protocol";

/** Whole on GPUs, partly there, not there, nowhere. */
const place: Record<PlacementKind, number> = { gpu: 3, "multi-gpu": 3, partial: 2, cpu: 1, none: 0 };
/** With one slot a short question waits for a long one to end; further slots are a matter of degree. */
const neededSlots = 2;

/**
 * Whether a model planned like this serves as well as planned like that: as near to the GPUs, in the same precision, with as
 * long a context, and for more than one at a time if the other is.
 */
export function isAsGood(plan: LoadPlan, other: LoadPlan): boolean {
  return (
    plan.fits === other.fits &&
    place[plan.placement] >= place[other.placement] &&
    (plan.placement !== "partial" || plan.gpuLayers >= other.gpuLayers) &&
    plan.quantization === other.quantization &&
    (plan.kvCacheType === other.kvCacheType || plan.kvCacheType === "f16") &&
    plan.contextSize >= other.contextSize &&
    slotsOf(plan) >= Math.min(neededSlots, slotsOf(other))
  );
}

function slotsOf({ slots }: LoadPlan): number {
  return slots.reduce((sum, { count }) => sum + count, 0);
}
