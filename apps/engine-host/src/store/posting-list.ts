/**
 * Which chunks of a segment hold a term, and how often: for each chunk, in order, varint(step << 1 | more) and, where `more`
 * is set, varint(count). `step` is the chunk's number less the one before it (less 0 for the first), a count without
 * `more` is 1. Varints have seven bits to the byte, lowest first, the top bit says that another byte follows.
 */
export class PostingListWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  #last = 0;
  #chunks = 0;

  /** How many chunks were added. */
  get chunks(): number {
    return this.#chunks;
  }

  /** @param chunk its number in the segment, greater than those before */
  add(chunk: number, count: number): void {
    // A step of 31 bits and two varints take ten bytes at most.
    if (this.#length + 10 > this.#bytes.length) this.#grow();
    this.#varint((chunk - this.#last) * 2 + (count > 1 ? 1 : 0));
    if (count > 1) this.#varint(count);
    this.#last = chunk;
    this.#chunks++;
  }

  /** The list so far; the writer is then empty again. The bytes are valid until the next `add`. */
  take(): Uint8Array {
    const list = this.#bytes.subarray(0, this.#length);
    this.#length = this.#last = this.#chunks = 0;
    return list;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Room for the postings of one list; used again for the next one. */
export class DecodedPostings {
  chunks = new Uint32Array(1024);
  counts = new Uint32Array(1024);
  length = 0;

  /** Reads a list of `length` postings. */
  read(list: Uint8Array, length: number): void {
    if (this.chunks.length < length) {
      this.chunks = new Uint32Array(length * 2);
      this.counts = new Uint32Array(length * 2);
    }
    const { chunks, counts } = this;
    let chunk = 0;
    let at = 0;
    for (let i = 0; i < length; i++) {
      let byte = list[at++]!;
      let value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = list[at++]!;
        value |= (byte & 127) << shift;
      }
      chunk += value >>> 1;
      chunks[i] = chunk;
      if ((value & 1) === 0) {
        counts[i] = 1;
        continue;
      }
      byte = list[at++]!;
      value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = list[at++]!;
        value |= (byte & 127) << shift;
      }
      counts[i] = value;
    }
    this.length = length;
  }
}
