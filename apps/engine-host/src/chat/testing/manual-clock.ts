import type { Clock } from "../clock.ts";

/** A clock that stands still until it is told how much time passes. */
export class ManualClock implements Clock {
  #time = 0;
  readonly #timers = new Set<{ due: number; action: () => void }>();

  now(): number {
    return this.#time;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { due: this.#time + ms, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, running what falls due, in order. */
  pass(ms: number): void {
    this.#time += ms;
    const due = [...this.#timers].filter((timer) => timer.due <= this.#time).sort((a, b) => a.due - b.due);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.action();
    }
  }
}
