/** Three crashes in five minutes quarantine a model for five minutes (design.md §2). Times in ms. */
const windowMs = 300_000;
const quarantineAfter = 3;
const quarantineMs = 300_000;
const firstBackoffMs = 1000;
const longestBackoffMs = 60_000;

/** When a model's engine crashed, and what follows from it. `now` is any monotonic clock in ms. */
export class CrashRecord {
  /** Within the last five minutes, oldest first. */
  #crashes: number[] = [];
  /** Without five quiet minutes in between. */
  #inARow = 0;
  #lastAt = -Infinity;
  #quarantinedUntil = -Infinity;

  note(now: number): void {
    this.#inARow = now - this.#lastAt > windowMs ? 1 : this.#inARow + 1;
    this.#lastAt = now;
    this.#crashes = [...this.#crashes.filter((at) => now - at < windowMs), now];
    if (this.#crashes.length >= quarantineAfter) {
      this.#quarantinedUntil = now + quarantineMs;
      this.#crashes = [];
    }
  }

  /** How long the model is still left alone; 0: it is not. */
  quarantineLeft(now: number): number {
    return Math.max(0, this.#quarantinedUntil - now);
  }

  /** How long to wait before it is started again: 1, 2, 4 … 60 s after the last crash. */
  backoffLeft(now: number): number {
    if (this.#inARow === 0) return 0;
    const backoff = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (this.#inARow - 1));
    return Math.max(0, this.#lastAt + backoff - now);
  }
}
