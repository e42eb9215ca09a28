/**
 * Vectors that lie as embeddings of text do, made from a seed (research/retrieval.md, section 1): components fall off as a
 * power law (i^-0.5) under a random rotation, 200 topics hold 8,000 sub-topics of uneven sizes, all share a mean of length
 * 0.45 and have unit length. The mean cosine of two is about 0.2.
 */
const spectrumExponent = -0.5;
const topicCount = 200;
const subtopicCount = 8000;
const meanLength = 0.45;
/** How much of a vector is its topic, its sub-topic and its own. */
const shares = { topic: 0.45, subtopic: 0.6, own: 0.6 };
/** A query is a vector pushed away so far that the cosine between the two is 0.8. */
const queryNoise = 0.75;
/** A size of the rotation's blocks: a power of two. */
const block = 256;

export class SyntheticVectors {
  readonly dimensions: number;
  #state: number;
  readonly #signs: Float32Array[];
  readonly #orders: Uint32Array[];
  readonly #mean: Float32Array;
  readonly #topics: Float32Array[];
  readonly #subtopics: { topic: number; centre: Float32Array }[];

  /** @param dimensions a multiple of 256 */
  constructor(seed: number, dimensions: number) {
    this.dimensions = dimensions;
    this.#state = seed >>> 0;
    const rounds = [0, 1, 2];
    this.#signs = rounds.map(() => Float32Array.from({ length: dimensions }, () => (this.#uniform() < 0.5 ? -1 : 1)));
    this.#orders = rounds.map(() => this.#shuffled());
    this.#mean = scaled(this.#direction(), meanLength);
    this.#topics = Array.from({ length: topicCount }, () => this.#direction());
    this.#subtopics = Array.from({ length: subtopicCount }, () => ({
      topic: Math.floor(this.#uniform() * topicCount),
      centre: this.#direction(),
    }));
  }

  next(): Float32Array {
    // Uneven sizes: the first sub-topics are the largest.
    const { topic, centre } = this.#subtopics[Math.floor(this.#uniform() ** 2 * subtopicCount)]!;
    const own = this.#direction();
    const about = this.#topics[topic]!;
    return unit(
      this.#mean.map(
        (value, i) => value + shares.topic * about[i]! + shares.subtopic * centre[i]! + shares.own * own[i]!,
      ),
    );
  }

  query(vector: Float32Array): Float32Array {
    const noise = scaled(
      Float32Array.from({ length: this.dimensions }, () => this.#normal()),
      queryNoise,
    );
    return unit(vector.map((value, i) => value + noise[i]!));
  }

  /** A direction drawn from the power-law spectrum, of unit length. */
  #direction(): Float32Array {
    let vector = Float32Array.from({ length: this.dimensions }, (_, i) => this.#normal() * (i + 1) ** spectrumExponent);
    for (const [round, signs] of this.#signs.entries()) {
      const order = this.#orders[round]!;
      const mixed = vector.map((_, i) => vector[order[i]!]! * signs[i]!);
      for (let from = 0; from < this.dimensions; from += block) hadamard(mixed.subarray(from, from + block));
      vector = mixed;
    }
    return unit(vector);
  }

  #shuffled(): Uint32Array {
    const order = Uint32Array.from({ length: this.dimensions }, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(this.#uniform() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform());
  }

  /** mulberry32 */
  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Walsh-Hadamard transform in place, a rotation but for its scale. */
function hadamard(values: Float32Array): void {
  for (let half = 1; half < values.length; half *= 2)
    for (let from = 0; from < values.length; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
}

function unit(vector: Float32Array): Float32Array {
  return scaled(vector, 1);
}

function scaled(vector: Float32Array, length: number): Float32Array {
  const factor = length / Math.sqrt(dot(vector, vector));
  return vector.map((value) => value * factor);
}
