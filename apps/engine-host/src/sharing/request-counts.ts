/** Upper bounds of the ranges of how long answers take to begin (streams) or to be whole, seconds. */
const boundsSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

interface Route {
  statuses: Map<number, number>;
  /** One per bound and one more; not cumulative. */
  ranges: number[];
  sumSeconds: number;
}

/** What the API was asked since the host started. */
export class RequestCounts {
  readonly #routes = new Map<string, Route>();
  readonly #streams = { complete: 0, failed: 0, left: 0, stalled: 0 };

  /** @param status HTTP; 499: the caller left before there was one */
  note(route: string, status: number, ms: number): void {
    let entry = this.#routes.get(route);
    if (entry === undefined) {
      entry = { statuses: new Map(), ranges: new Array<number>(boundsSeconds.length + 1).fill(0), sumSeconds: 0 };
      this.#routes.set(route, entry);
    }
    entry.statuses.set(status, (entry.statuses.get(status) ?? 0) + 1);
    const range = boundsSeconds.findIndex((bound) => ms / 1000 <= bound);
    entry.ranges[range === -1 ? boundsSeconds.length : range]!++;
    entry.sumSeconds += ms / 1000;
  }

  noteStream(how: "complete" | "failed" | "left" | "stalled"): void {
    this.#streams[how]++;
  }

  get streams(): Readonly<Record<string, number>> {
    return this.#streams;
  }

  get routes(): {
    route: string;
    statuses: ReadonlyMap<number, number>;
    ranges: readonly number[];
    sumSeconds: number;
  }[] {
    return [...this.#routes].map(([route, entry]) => ({ route, ...entry }));
  }

  get boundsSeconds(): readonly number[] {
    return boundsSeconds;
  }
}
