import { DecodedPostings } from "./posting-list.ts";
import { isDeleted, type Segment } from "./segments.ts";

/** BM25's usual constants (Robertson and Zaragoza 2009): how soon repetition saturates, how much length counts. */
const K1 = 1.2;
const B = 0.75;

/** The postings of a term in one segment, as stored. */
export interface PostingList {
  chunks: number;
  list: Uint8Array;
}

/** A segment, and for each word of the query the lists of the terms it may stand as. */
export interface SegmentPostings {
  segment: Segment;
  words: PostingList[][];
}

export interface ScoreOptions {
  /** How many of the best are wanted. */
  limit: number;
  /** Chunks of the whole index, and their mean length in terms. */
  chunks: number;
  averageLength: number;
  /** Whether chunks of this document may be found. */
  isInScope(documentKey: number): boolean;
}

/** A chunk by its key, with its score. */
export interface ScoredChunk {
  key: number;
  score: number;
}

const decoded = new DecodedPostings();

/** How many chunks of a segment hold a term; deleted ones do not count. */
export function holders(segment: Segment, { chunks, list }: PostingList): number {
  if (segment.deleted === null) return chunks;
  decoded.read(list, chunks);
  let live = 0;
  for (let i = 0; i < chunks; i++) if (!isDeleted(segment.deleted, decoded.chunks[i]!)) live++;
  return live;
}

/**
 * BM25 of every chunk that holds any word, exact, best first; equal scores in the order the chunks were stored. The terms
 * of one word count together, as if they were one, in a chunk as in the number of its holders.
 */
export function scoreChunks(found: SegmentPostings[], options: ScoreOptions): ScoredChunk[] {
  const { limit, chunks, averageLength, isInScope } = options;
  const wordCount = found[0]?.words.length ?? 0;
  const weights = Array.from({ length: wordCount }, (_, word) => {
    let held = 0;
    for (const { segment, words } of found) for (const list of words[word]!) held += holders(segment, list);
    const df = Math.min(held, chunks);
    return Math.log(1 + (chunks - df + 0.5) / (df + 0.5));
  });
  const best = new BestChunks(limit);
  const largest = found.reduce((most, { segment }) => Math.max(most, segment.keys.length), 0);
  const scores = new Float64Array(largest);
  const counts = new Uint32Array(largest);
  for (const { segment, words } of found) {
    const { keys, documents, lengths, deleted } = segment;
    scores.fill(0, 0, keys.length);
    for (const [word, lists] of words.entries()) addWord(lists, weights[word]!, lengths, averageLength, scores, counts);
    let document = -1;
    let isWanted = false;
    for (let i = 0; i < keys.length; i++) {
      // Keys rise, so of equal scores the one that came first stays.
      if (scores[i]! <= best.least) continue;
      if (documents[i] !== document) isWanted = isInScope((document = documents[i]!));
      if (isWanted && !isDeleted(deleted, i)) best.add({ key: keys[i]!, score: scores[i]! });
    }
  }
  return best.ranked();
}

function addWord(
  lists: PostingList[],
  weight: number,
  lengths: Uint32Array,
  averageLength: number,
  scores: Float64Array,
  counts: Uint32Array,
): void {
  const base = K1 * (1 - B);
  const slope = (K1 * B) / averageLength;
  const gain = weight * (K1 + 1);
  if (lists.length === 1) {
    decoded.read(lists[0]!.list, lists[0]!.chunks);
    for (let i = 0; i < decoded.length; i++) {
      const chunk = decoded.chunks[i]!;
      const count = decoded.counts[i]!;
      scores[chunk]! += (gain * count) / (count + base + slope * lengths[chunk]!);
    }
    return;
  }
  // A chunk may hold several of the terms: they are counted together first.
  const touched: number[] = [];
  for (const { list, chunks } of lists) {
    decoded.read(list, chunks);
    for (let i = 0; i < chunks; i++) {
      const chunk = decoded.chunks[i]!;
      if (counts[chunk] === 0) touched.push(chunk);
      counts[chunk]! += decoded.counts[i]!;
    }
  }
  for (const chunk of touched) {
    const count = counts[chunk]!;
    scores[chunk]! += (gain * count) / (count + base + slope * lengths[chunk]!);
    counts[chunk] = 0;
  }
}

/** The best of many chunks, in a heap with the least of them on top. Chunks are added in the order of their keys. */
class BestChunks {
  readonly #limit: number;
  readonly #heap: ScoredChunk[] = [];
  /** A chunk must score more to be added. */
  least = 0;

  constructor(limit: number) {
    this.#limit = limit;
    if (limit < 1) this.least = Infinity;
  }

  add(chunk: ScoredChunk): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      let at = heap.push(chunk) - 1;
      for (let parent = (at - 1) >> 1; at > 0 && isWorse(heap[at]!, heap[parent]!); parent = (at - 1) >> 1) {
        [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
        at = parent;
      }
    } else {
      heap[0] = chunk;
      for (let at = 0; ;) {
        let worst = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && isWorse(heap[child]!, heap[worst]!)) worst = child;
        if (worst === at) break;
        [heap[at], heap[worst]] = [heap[worst]!, heap[at]!];
        at = worst;
      }
    }
    if (heap.length === this.#limit) this.least = heap[0]!.score;
  }

  ranked(): ScoredChunk[] {
    return this.#heap.sort((a, b) => (isWorse(a, b) ? 1 : -1));
  }
}

function isWorse(a: ScoredChunk, b: ScoredChunk): boolean {
  return a.score < b.score || (a.score === b.score && a.key > b.key);
}
