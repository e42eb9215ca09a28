/** One leg's ranking, best first. */
export interface Ranking {
  ids: string[];
  /** How much it counts beside the others. */
  weight: number;
}

/**
 * Damps the lead of the first places. 60 is what Cormack, Clarke and Büttcher found best ("Reciprocal Rank Fusion outperforms
 * Condorcet and individual Rank Learning Methods", SIGIR 2009) and what others kept.
 */
const K = 60;

/**
 * Reciprocal rank fusion: an id's score is the sum over the rankings of weight / (60 + its rank, from 1). Only places count, so
 * scores of different scales need no calibration. Best first; of equal scores the one that an earlier ranking has higher.
 */
export function fuse(rankings: Ranking[]): { id: string; score: number }[] {
  const scores = new Map<string, number>();
  for (const { ids, weight } of rankings)
    for (const [place, id] of ids.entries()) scores.set(id, (scores.get(id) ?? 0) + weight / (K + place + 1));
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score);
}
