import type { Reranker } from "../models/models.ts";

/** Passages that are read again: beyond them hardly any is better than the first ones. */
export const RERANKED = 32;
/** Passages of the first call, which tells how long one takes. */
const FIRST_CALL = 4;
/** Passages of one call at most, so that little is lost when time is up. */
const LARGEST_CALL = 16;

/**
 * Scores texts, the first ones first, in calls of as many as the time allows.
 * @param ms how long there is; beyond it `signal` aborts
 * @param scores gets the scores 0..1 as they come, so that those there was time for are not lost
 * @throws what the signal aborts with, and what the model throws
 */
export async function rankInCalls(
  reranker: Pick<Reranker, "rank">,
  query: string,
  texts: string[],
  scores: number[],
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  while (scores.length < texts.length) {
    const spent = performance.now() - started;
    const affordable = scores.length === 0 ? FIRST_CALL : Math.floor(((ms - spent) * scores.length) / spent);
    if (affordable < 1) return;
    const part = texts.slice(scores.length, scores.length + Math.min(affordable, LARGEST_CALL));
    scores.push(...(await reranker.rank(query, part, signal)));
    signal.throwIfAborted();
  }
}
