import { cancelled, type Clock } from "../abortable.ts";

/** Time that passes only when told to. */
export class TestClock implements Clock {
  #now = 0;
  #sleepers: { until: number; wake: () => void }[] = [];
  now() {
    return this.#now;
  }
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) throw cancelled();
    const sleeper = { until: this.#now + ms, wake: resolve };
    this.#sleepers.push(sleeper);
    const wakeEarly = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      reject(cancelled());
    };
    signal.addEventListener("abort", wakeEarly, { once: true });
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
