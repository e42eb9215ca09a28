import { splitTerms } from "./index-writer.ts";

/** A word of a query: the terms it may stand as, and how many chunks hold one of them. */
export interface QueryWord {
  terms: string[];
  chunks: number;
}

/** BM25's usual constants (Robertson and Zaragoza 2009): how soon repetition saturates, how much length counts. */
const K1 = 1.2;
const B = 0.75;

/**
 * BM25 of each chunk for all words of the query, best first; equal scores in the order the chunks were stored. The terms of
 * one word count together, as if they were one. Chunks without any of the words are left out.
 */
export function scoreChunks(
  words: QueryWord[],
  chunks: { key: number; length: number; terms: string }[],
  statistics: { chunks: number; averageLength: number },
): { key: number; score: number }[] {
  const wordOfTerm = new Map<string, number>();
  for (const [i, word] of words.entries())
    for (const term of word.terms) if (!wordOfTerm.has(term)) wordOfTerm.set(term, i);
  const total = statistics.chunks;
  const weights = words.map((word) => {
    const holders = Math.min(word.chunks, total);
    return Math.log(1 + (total - holders + 0.5) / (holders + 0.5));
  });
  const counts = new Uint32Array(words.length);
  const scored: { key: number; score: number }[] = [];
  for (const chunk of chunks) {
    counts.fill(0);
    for (const term of splitTerms(chunk.terms)) {
      const word = wordOfTerm.get(term);
      if (word !== undefined) counts[word]!++;
    }
    const saturation = K1 * (1 - B + (B * chunk.length) / statistics.averageLength);
    let score = 0;
    for (let i = 0; i < counts.length; i++) score += (weights[i]! * counts[i]! * (K1 + 1)) / (counts[i]! + saturation);
    if (score > 0) scored.push({ key: chunk.key, score });
  }
  return scored.sort((a, b) => b.score - a.score || a.key - b.key);
}
