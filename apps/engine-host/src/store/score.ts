import { DecodedPostings, PostingCursor } from "./posting-list.ts";
import { isDeleted, type Segment } from "./segments.ts";

/** BM25's usual constants (Robertson and Zaragoza 2009): how soon repetition saturates, how much length counts. */
const K1 = 1.2;
const B = 0.75;
/** Words are rare that together have at most this share of the chunks as postings. */
const RARE_SHARE = 1 / 64;
/** A sum of floats may differ from the same sum in another order by this share. */
const ROUNDING = 1e-9;

/** The postings of a term in one segment, as stored. */
export interface PostingList {
  chunks: number;
  list: Uint8Array;
}

/** A segment, and for each word of the query the lists of the terms it may stand as. */
export interface SegmentPostings {
  segment: Segment;
  words: PostingList[][];
  /** Only chunks that hold each of these (as one of its terms) are found; null: no such condition. */
  required: PostingList[][] | null;
}

export interface ScoreOptions {
  /** How many of the best are wanted. */
  limit: number;
  /** Chunks of the whole index, and their mean length in terms. */
  chunks: number;
  averageLength: number;
  /** For each word, how many chunks of the whole index hold it. */
  holders: number[];
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
 * BM25 of the chunks that hold any word, exact, best first; equal scores in the order the chunks were stored. The terms
 * of one word count together, as if they were one, in a chunk as in the number of its holders.
 *
 * Words are added up one after the other, rarest first. As soon as the words that are left could not lift a chunk that has
 * none of the others above the best so far, they are looked up only in chunks that still can get there ("MaxScore", Turtle
 * and Flood 1995): most postings of common words are then passed over. What the best reach by their rare words alone is
 * found out first, as that takes next to nothing.
 */
export function scoreChunks(found: SegmentPostings[], options: ScoreOptions): ScoredChunk[] {
  const { chunks } = options;
  const words = options.holders
    .map((held, place) => {
      const df = Math.min(held, chunks);
      const weight = Math.log(1 + (chunks - df + 0.5) / (df + 0.5));
      // What a word adds to a chunk stays below this, however often it stands there.
      return { place, weight, most: weight * (K1 + 1) };
    })
    .sort((a, b) => b.weight - a.weight);
  const best = new BestChunks(options.limit);
  makeRoomFor(found.reduce((most, { segment }) => Math.max(most, segment.keys.length), 0));
  const scorer = new SegmentScorer(words, options);
  if (options.limit < 1) return [];
  const reached = scorer.reachedByRareWords(found);
  for (const segment of found) scorer.score(segment, best, reached);
  return best.ranked();
}

interface Word {
  /** Among the words of the query. */
  place: number;
  weight: number;
  most: number;
}

/** Room for scores that is used again by the next query: by chunk number, all 0 between segments. */
let scores = new Float64Array(1024);
let counts = new Uint32Array(1024);
/** Chunks with a score, in any order. */
let touched = new Uint32Array(1024);

function makeRoomFor(chunks: number): void {
  if (scores.length >= chunks) return;
  scores = new Float64Array(chunks);
  counts = new Uint32Array(chunks);
  touched = new Uint32Array(chunks);
}

class SegmentScorer {
  readonly #words: Word[];
  /** What the words from a place on can add at most. */
  readonly #mostFrom: number[];
  readonly #options: ScoreOptions;
  readonly #base = K1 * (1 - B);
  readonly #slope: number;
  #touchedCount = 0;

  constructor(words: Word[], options: ScoreOptions) {
    this.#words = words;
    this.#options = options;
    this.#slope = (K1 * B) / options.averageLength;
    this.#mostFrom = [...words, null].map(
      (_, place) => words.slice(place).reduce((sum, { most }) => sum + most, 0) * (1 + ROUNDING),
    );
  }

  /** The score that as many chunks as are wanted have by the rarest words alone; 0: not so many have any. */
  reachedByRareWords(found: SegmentPostings[]): number {
    const most = Math.max(1024, this.#options.chunks * RARE_SHARE);
    let rare = 0;
    for (let postings = 0; rare < this.#words.length; rare++) {
      const { place } = this.#words[rare]!;
      for (const { words } of found) for (const { chunks } of words[place]!) postings += chunks;
      if (postings > most) break;
    }
    // Where all words are rare, or none is, there is nothing to gain.
    if (rare === 0 || rare === this.#words.length) return 0;
    const reached = new BestChunks(this.#options.limit);
    for (const { segment, words, required } of found) {
      if (required !== null) return 0;
      for (const { place, weight } of this.#words.slice(0, rare)) this.#addWord(words[place]!, weight, segment.lengths);
      this.#offerTouched(reached, this.#filter(segment, null));
      this.#clear();
    }
    return reached.least;
  }

  /**
   * Adds what the segment has to the best.
   * @param reached a score that as many chunks as are wanted have at least, in all segments together
   */
  score({ segment, words, required }: SegmentPostings, best: BestChunks, reached: number): void {
    if (required?.some((lists) => lists.length === 0)) return;
    const allowed = required && chunksWithAll(required, segment.keys.length);
    const isWanted = this.#filter(segment, allowed);
    const lists = this.#words.map(({ place }) => words[place]!);
    const sizes = lists.map((ofWord) => ofWord.reduce((sum, { chunks }) => sum + chunks, 0));
    let left = sizes.reduce((sum, size) => sum + size, 0);
    // Below what is reached: of equal scores the one stored first is wanted, and it may be this one.
    let threshold = Math.max(best.least, reached * (1 - ROUNDING));
    let word = 0;
    for (; word < lists.length && this.#mostFrom[word]! > threshold; word++) {
      this.#addWord(lists[word]!, this.#words[word]!.weight, segment.lengths);
      left -= sizes[word]!;
      // Finding out is worth it where it can save more than it takes.
      if (left > this.#touchedCount && this.#touchedCount >= this.#options.limit)
        threshold = Math.max(threshold, this.#threshold(isWanted) * (1 - ROUNDING));
    }
    let candidates = this.#rising(segment.keys.length);
    if (word < lists.length) {
      candidates = candidates.filter((chunk) => scores[chunk]! + this.#mostFrom[word]! > threshold && isWanted(chunk));
      for (; word < lists.length; word++) {
        this.#addWordTo(candidates, lists[word]!, this.#words[word]!.weight, segment.lengths);
        const most = this.#mostFrom[word + 1]!;
        candidates = candidates.filter((chunk) => scores[chunk]! + most > threshold);
      }
    }
    for (const chunk of candidates) {
      // Keys rise, so of equal scores the one that came first stays.
      const score = scores[chunk]!;
      if (score > best.least && isWanted(chunk)) best.add({ key: segment.keys[chunk]!, score });
    }
    this.#clear();
  }

  #filter({ documents, deleted }: Segment, allowed: Uint8Array | null): (chunk: number) => boolean {
    const { isInScope } = this.#options;
    let document = -1;
    let inScope = false;
    return (chunk) => {
      if (isDeleted(deleted, chunk) || (allowed && allowed[chunk] === 0)) return false;
      if (documents[chunk] !== document) inScope = isInScope((document = documents[chunk]!));
      return inScope;
    };
  }

  /** The chunks with a score, in rising order. */
  #rising(chunks: number): Uint32Array {
    const rising = touched.slice(0, this.#touchedCount);
    // Looking at every chunk takes less than sorting many of them.
    if (rising.length < chunks / 128) return rising.sort();
    let at = 0;
    for (let chunk = 0; chunk < chunks; chunk++) if (scores[chunk]! > 0) rising[at++] = chunk;
    return rising;
  }

  /** The score that as many wanted chunks as are asked for have reached already. */
  #threshold(isWanted: (chunk: number) => boolean): number {
    const reached = new BestChunks(this.#options.limit);
    this.#offerTouched(reached, isWanted);
    return reached.least;
  }

  #offerTouched(best: BestChunks, isWanted: (chunk: number) => boolean): void {
    for (let i = 0; i < this.#touchedCount; i++) {
      const chunk = touched[i]!;
      const score = scores[chunk]!;
      if (score > best.least && isWanted(chunk)) best.add({ key: chunk, score });
    }
  }

  #clear(): void {
    for (let i = 0; i < this.#touchedCount; i++) scores[touched[i]!] = 0;
    this.#touchedCount = 0;
  }

  #addWord(lists: PostingList[], weight: number, lengths: Uint32Array): void {
    if (lists.length === 1) {
      decoded.read(lists[0]!.list, lists[0]!.chunks);
      this.#addCounts(decoded.chunks, decoded.counts, decoded.length, weight, lengths);
      return;
    }
    // A chunk may hold several of the terms: they are counted together first.
    const held: number[] = [];
    for (const { list, chunks } of lists) {
      decoded.read(list, chunks);
      for (let i = 0; i < chunks; i++) {
        const chunk = decoded.chunks[i]!;
        if (counts[chunk] === 0) held.push(chunk);
        counts[chunk]! += decoded.counts[i]!;
      }
    }
    const together = Uint32Array.from(held, (chunk) => counts[chunk]!);
    for (const chunk of held) counts[chunk] = 0;
    this.#addCounts(Uint32Array.from(held), together, held.length, weight, lengths);
  }

  #addCounts(chunks: Uint32Array, counts: Uint32Array, length: number, weight: number, lengths: Uint32Array): void {
    const base = this.#base;
    const slope = this.#slope;
    const gain = weight * (K1 + 1);
    let at = this.#touchedCount;
    for (let i = 0; i < length; i++) {
      const chunk = chunks[i]!;
      const count = counts[i]!;
      const score = scores[chunk]!;
      if (score === 0) touched[at++] = chunk;
      scores[chunk] = score + (gain * count) / (count + base + slope * lengths[chunk]!);
    }
    this.#touchedCount = at;
  }

  /** Adds what a word brings to some chunks, in rising order. */
  #addWordTo(candidates: Uint32Array, lists: PostingList[], weight: number, lengths: Uint32Array): void {
    const cursors = lists.map(({ list, chunks }) => new PostingCursor(list, chunks));
    const gain = weight * (K1 + 1);
    for (const chunk of candidates) {
      let count = 0;
      for (const cursor of cursors) count += cursor.countAt(chunk);
      if (count > 0) scores[chunk]! += (gain * count) / (count + this.#base + this.#slope * lengths[chunk]!);
    }
  }
}

/** For each chunk of a segment, whether it holds each word as one of its terms: 1, else 0. */
function chunksWithAll(words: PostingList[][], chunks: number): Uint8Array {
  const found = new Uint8Array(chunks).fill(1);
  for (const lists of words) {
    const holding = new Uint8Array(chunks);
    for (const { list, chunks: length } of lists) {
      decoded.read(list, length);
      for (let i = 0; i < length; i++) holding[decoded.chunks[i]!] = 1;
    }
    for (let chunk = 0; chunk < chunks; chunk++) found[chunk]! &= holding[chunk]!;
  }
  return found;
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
