/** Lets text through up to the first of some texts, and holds back what may turn out to be the beginning of one. */
export class StopTexts {
  readonly #stops: readonly string[];
  #held = "";
  #found: string | null = null;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Which of them was written; null: none so far. */
  get found(): string | null {
    return this.#found;
  }

  /** Adds text; answers what is certain to stand before any of them. */
  push(text: string): string {
    if (this.#found !== null) return "";
    if (this.#stops.length === 0) return text;
    this.#held += text;
    const first = this.#first();
    if (first !== null) {
      this.#found = first.stop;
      const kept = this.#held.slice(0, first.at);
      this.#held = "";
      return kept;
    }
    const release = this.#held.length - this.#longestStart();
    const released = this.#held.slice(0, release);
    this.#held = this.#held.slice(release);
    return released;
  }

  /** The text still held back at the end. */
  end(): string {
    const text = this.#held;
    this.#held = "";
    return text;
  }

  /** The earliest of them; of two that begin at the same place the longer one. */
  #first(): { stop: string; at: number } | null {
    let first: { stop: string; at: number } | null = null;
    for (const stop of this.#stops) {
      const at = this.#held.indexOf(stop);
      if (at < 0) continue;
      if (first === null || at < first.at || (at === first.at && stop.length > first.stop.length)) first = { stop, at };
    }
    return first;
  }

  /** Length of the longest end of the held text that begins one of them. */
  #longestStart(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
