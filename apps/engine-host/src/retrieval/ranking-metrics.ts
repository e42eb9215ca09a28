/**
 * How good a ranking is, counted as trec_eval and BEIR count. `gains` says how relevant each document was judged to be;
 * documents without a judgement count as not relevant.
 */
export type Gains = ReadonlyMap<string, number>;

/** Discounted gain of the first `depth` places over the best possible one, 0 to 1; 0 where nothing is relevant. */
export function ndcg(ranked: readonly string[], gains: Gains, depth: number): number {
  const ideal = discounted(
    [...gains.values()]
      .filter(isRelevant)
      .sort((a, b) => b - a)
      .slice(0, depth),
  );
  if (ideal === 0) return 0;
  return discounted(ranked.slice(0, depth).map((id) => Math.max(0, gains.get(id) ?? 0))) / ideal;
}

/** The share of the relevant documents that stands in the first `depth` places, 0 to 1; 0 where nothing is relevant. */
export function recall(ranked: readonly string[], gains: Gains, depth: number): number {
  const relevant = [...gains.values()].filter(isRelevant).length;
  if (relevant === 0) return 0;
  return ranked.slice(0, depth).filter((id) => isRelevant(gains.get(id) ?? 0)).length / relevant;
}

/** The smallest value that at least this share (0 to 1) of `values` does not exceed (nearest rank); 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Whether a judgement says "relevant": gains of 0 and below say it is not. */
export function isRelevant(gain: number): boolean {
  return gain > 0;
}

/** Linear gains, discounted by the logarithm of their place. */
function discounted(gains: number[]): number {
  return gains.reduce((sum, gain, place) => sum + gain / Math.log2(place + 2), 0);
}
