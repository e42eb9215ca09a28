import type { LatencyHistogram, ModelActivity } from "@corral/protocol";

/** Bounds of the ranges waiting times are counted in, ms: from what nobody notices to what nobody waits for. */
const boundsMs = [25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000];

class Histogram {
  readonly #counts: number[] = Array.from({ length: boundsMs.length + 1 }, () => 0);
  #sumMs = 0;

  note(ms: number): void {
    const range = boundsMs.findIndex((bound) => ms <= bound);
    const at = range < 0 ? boundsMs.length : range;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sumMs += ms;
  }

  read(): LatencyHistogram {
    return { boundsMs, counts: [...this.#counts], sumMs: this.#sumMs };
  }
}

/** What a model did since the host started. Outlasts its loads. */
export class ModelStatistics {
  readonly counters: ModelActivity["counters"] = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    completed: 0,
    cancelled: 0,
    failed: 0,
    refusedQueueFull: 0,
    refusedRateLimited: 0,
    loads: 0,
    crashes: 0,
  };
  readonly timeToFirstToken = new Histogram();
  readonly queueWait = new Histogram();
}
