import { HighestRows, NearestRows } from "./best-rows.ts";
import { bitBytes, codeBytes, encodeQuery, writeBits } from "./vector-codes.ts";
import { VectorKernel } from "./vector-kernel.ts";
import {
  isGone,
  SEGMENT_VECTORS,
  segmentOf,
  slotOf,
  type VectorModelRow,
  type VectorSegment,
  type VectorSegments,
} from "./vector-segments.ts";

/** Queries that are sampled. */
const QUERIES = 50;
/** The chunks of an exact search that must be among the candidates. */
const DEPTH = 10;
/** How many candidates are tried. */
const CANDIDATES = [200, 400, 800, 1600, 3200] as const;
const MOST_CANDIDATES = CANDIDATES.at(-1)!;
/** The recall that is asked for (issue 6). */
const WANTED_RECALL = 0.98;
/**
 * A query is a stored vector pushed away by noise of this length, so that the cosine between the two is 0.8: questions are
 * no nearer to their passages (research/retrieval.md, section 1).
 */
const NOISE = 0.75;

/** What was found: the fewest candidates that give the wanted recall, else the most, and the recall they give. */
export interface MeasuredRecall {
  candidates: number;
  /** Share of the ten best of an exact int8 scan that are among the candidates, 0..1. */
  recall: number;
}

interface Sample {
  /** The vector the query was made of, which does not count as found. */
  slot: number;
  vector: Float32Array;
  highest: HighestRows;
  nearest: NearestRows;
}

/** Measures how many candidates a search by bits needs on these vectors; a segment at a time, as all take some seconds. */
export class RecallMeasurement {
  readonly model: VectorModelRow;
  readonly #store: VectorSegments;
  readonly #segments: VectorSegment[];
  readonly #codeKernel: VectorKernel;
  readonly #bitKernel: VectorKernel;
  readonly #codes: number;
  readonly #bits: number;
  #samples: Sample[] | null = null;
  #next = 0;

  constructor(store: VectorSegments, model: VectorModelRow, segments: VectorSegment[]) {
    this.model = model;
    this.#store = store;
    this.#segments = segments;
    this.#codeKernel = new VectorKernel(SEGMENT_VECTORS * codeBytes(model.dimensions));
    this.#bitKernel = new VectorKernel(SEGMENT_VECTORS * bitBytes(model.dimensions));
    this.#codes = this.#codeKernel.take();
    this.#bits = this.#bitKernel.take();
  }

  /** Looks at the next segment. @returns the result when it was the last one */
  step(): MeasuredRecall | null {
    this.#samples ??= this.#sample();
    const segment = this.#segments[this.#next++];
    if (!segment) return this.#result(this.#samples);
    this.#scan(segment, this.#samples);
    return null;
  }

  #sample(): Sample[] {
    const random = gaussian(1);
    const samples: Sample[] = [];
    for (let i = 0; i < QUERIES; i++) {
      const segment = this.#segments[Math.floor((i * this.#segments.length) / QUERIES)];
      if (!segment) break;
      const from = Math.floor(((i * 0.618_034) % 1) * segment.vectors);
      const [found] = [
        ...this.#store.placed(segment.id, from, from + 64),
        ...this.#store.placed(segment.id, 0, Math.min(64, from)),
      ];
      if (!found) continue;
      const vector = Float32Array.from(found.high, (high) => (high + 0.5) * 256 * found.scale);
      const noise = Float32Array.from(vector, random);
      const strength = NOISE / Math.hypot(...noise);
      for (let at = 0; at < vector.length; at++) vector[at]! += noise[at]! * strength;
      samples.push({
        slot: slotOf(segment.id, found.place),
        vector,
        highest: new HighestRows(DEPTH),
        nearest: new NearestRows(MOST_CANDIDATES, this.model.dimensions),
      });
    }
    return samples;
  }

  #scan({ id, vectors }: VectorSegment, samples: Sample[]): void {
    const found = this.#store.placed(id, 0, vectors);
    if (found.length === 0) return;
    const { dimensions } = this.model;
    const codeStride = codeBytes(dimensions);
    const bitStride = bitBytes(dimensions);
    const scales = new Float32Array(SEGMENT_VECTORS);
    const bitRow = new Uint8Array(bitStride);
    for (const { place, scale, high } of found) {
      scales[place] = scale;
      writeBits(high, bitRow);
      this.#codeKernel.write(this.#codes + place * codeStride, high);
      this.#bitKernel.write(this.#bits + place * bitStride, bitRow);
    }
    const gone = this.#store.deletedBits(id);
    for (const { slot, vector, highest, nearest } of samples) {
      const own = segmentOf(slot).segment === id ? segmentOf(slot).place : -1;
      const { terms, offset } = encodeQuery(vector);
      this.#codeKernel.setQuery(terms);
      const dots = this.#codeKernel.dot8(this.#codes, vectors, codeStride);
      for (let place = 0; place < vectors; place++) {
        const score = (dots[place]! + offset) * scales[place]!;
        if (score > highest.least && place !== own && !isGone(gone, place)) highest.add(slotOf(id, place), score);
      }
      writeBits(vector, bitRow);
      this.#bitKernel.setQueryBits(bitRow);
      const distances = this.#bitKernel.hamming(this.#bits, vectors, bitStride);
      for (let place = 0; place < vectors; place++) {
        const distance = distances[place]!;
        if (distance < nearest.most && place !== own && !isGone(gone, place)) nearest.add(slotOf(id, place), distance);
      }
    }
  }

  #result(samples: Sample[]): MeasuredRecall {
    const found = new Array<number>(CANDIDATES.length).fill(0);
    let wanted = 0;
    for (const { highest, nearest } of samples) {
      const places = new Map(nearest.ranked().map((slot, place) => [slot, place]));
      for (const { slot } of highest.ranked()) {
        wanted++;
        const place = places.get(slot) ?? Infinity;
        for (const [i, candidates] of CANDIDATES.entries()) if (place < candidates) found[i]!++;
      }
    }
    const recalls = found.map((count) => (wanted === 0 ? 1 : count / wanted));
    const enough = recalls.findIndex((recall) => recall >= WANTED_RECALL);
    const chosen = enough < 0 ? CANDIDATES.length - 1 : enough;
    return { candidates: CANDIDATES[chosen]!, recall: recalls[chosen]! };
  }
}

/** Normally distributed numbers (Box and Muller 1958) of a small generator (mulberry32), the same ones for each seed. */
function gaussian(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
