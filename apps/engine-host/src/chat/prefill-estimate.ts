/** Tells how long the rest of a prompt will take to read, from the pace of what was read so far. */
export class PrefillEstimate {
  #first: { done: number; at: number } | null = null;

  /**
   * @param now ms
   * @returns ms; null until a second piece was read, as the first may have come from the cache
   */
  leftMs(done: number, total: number, now: number): number | null {
    if (this.#first === null || done < this.#first.done) this.#first = { done, at: now };
    const read = done - this.#first.done;
    const took = now - this.#first.at;
    return read > 0 && took > 0 ? ((total - done) * took) / read : null;
  }
}
