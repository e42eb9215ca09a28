import type { LatencyHistogram } from "@corral/protocol";

/**
 * The time within which this share (0..1) of the observations lies, ms: the upper bound of the range it falls into.
 * Null: nothing was observed; Infinity: beyond the last bound.
 */
export function latencyShare({ boundsMs, counts }: LatencyHistogram, share: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let seen = 0;
  for (const [at, count] of counts.entries()) {
    seen += count;
    if (seen >= share * all) return boundsMs[at] ?? Infinity;
  }
  return Infinity;
}
