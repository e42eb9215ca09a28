/** Bytes in the making. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param value a whole number below 2^32 */
  varint(value: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow(5);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  /** Copies the bytes [start, end) of another array. */
  bytes(from: Uint8Array, start: number, end: number): void {
    if (this.#length + end - start > this.#bytes.length) this.#grow(end - start);
    // A copy in the engine costs more than a few bytes by hand.
    if (end - start > 32) this.#bytes.set(from.subarray(start, end), this.#length);
    else for (let i = start, at = this.#length; i < end; i++) this.#bytes[at++] = from[i]!;
    this.#length += end - start;
  }

  /** What was written; the writer is then empty again. The bytes are valid until the next write. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  #grow(more: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads varints one after the other. */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array();
  at = 0;

  varint(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++]!;
      value |= (byte & 127) << shift;
    }
    this.at = at;
    return value >>> 0;
  }
}
