/**
 * Runs tasks with the same key one after the other, in the order they were given, and tasks with other keys meanwhile. A task
 * that runs alone waits for all given before it, and all given after it wait for it.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();
  #alone: Promise<unknown> = Promise.resolve();

  run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const turn = Promise.all([this.#alone, this.#last.get(key)]).then(task);
    const settled: Promise<unknown> = turn
      .catch(() => {})
      .finally(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return turn;
  }

  runAlone<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = Promise.all([this.#alone, ...this.#last.values()]).then(task);
    this.#alone = turn.catch(() => {});
    return turn;
  }
}
