/**
 * A Bloom filter over the hashes of a segment's terms (posting-blocks.ts): a question's words are looked up in many segments,
 * and most stand in few of them. Ten bits for a term and five probes let about one of a hundred absent terms pass.
 */
const BITS_PER_TERM = 10;
const PROBES = 5;

/** Makes a filter. */
export class TermFilterWriter {
  #hashes = new Uint32Array(1024);
  #count = 0;

  add(hash: number): void {
    if (this.#count === this.#hashes.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count++] = hash;
  }

  /** The filter of all hashes so far; the writer is then empty again. */
  take(): Uint8Array {
    const filter = new Uint8Array(Math.ceil((this.#count * BITS_PER_TERM) / 8));
    for (let i = 0; i < this.#count; i++)
      probe(this.#hashes[i]!, 8 * filter.length, (bit) => {
        filter[bit >> 3]! |= 1 << (bit & 7);
        return true;
      });
    this.#count = 0;
    return filter;
  }
}

/** False: no term with this hash was added. */
export function mayHold(filter: Uint8Array, hash: number): boolean {
  return filter.length > 0 && probe(hash, 8 * filter.length, (bit) => (filter[bit >> 3]! & (1 << (bit & 7))) !== 0);
}

/** Visits the bits of a hash while `visit` says true. @returns whether it always did */
function probe(hash: number, bits: number, visit: (bit: number) => boolean): boolean {
  const step = (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0) | 1;
  let at = hash;
  for (let i = 0; i < PROBES; i++) {
    if (!visit(at % bits)) return false;
    at = (at + step) >>> 0;
  }
  return true;
}
