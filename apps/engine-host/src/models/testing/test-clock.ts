import { cancelled, type Clock } from "../abortable.ts";

/** Time that passes only when told to. */
export class TestClock implements Clock {
  #now = 0;
  #sleepers: { until: number; wake: () => void }[] = [];
  now() {
    return this.#now;
  }
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => reject(cancelled()), { once: true });
    this.#sleepers.push({ until: this.#now + ms, wake: resolve });
    return promise;
  }
  get sleeping() {
    return this.#sleepers.map(({ until }) => until - this.#now);
  }
  pass(ms: number) {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}
