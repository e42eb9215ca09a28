/** Tells watchers that something changed; each reads the new state itself, so that a slow one misses only what is old. */
export class ChangeFeed {
  readonly #listeners = new Set<() => void>();

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * What `read` gives now and after each change, until the signal aborts.
   * @param pause keeps readings apart
   */
  async *watch<Value>(
    read: () => Promise<Value>,
    signal: AbortSignal,
    pause: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ): AsyncGenerator<Value, void> {
    let wake = Promise.withResolvers<void>();
    const notice = () => wake.resolve();
    this.#listeners.add(notice);
    signal.addEventListener("abort", notice);
    try {
      while (!signal.aborted) {
        yield await read();
        if (signal.aborted) return;
        await wake.promise;
        await pause(signal).catch(() => undefined);
        wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#listeners.delete(notice);
      signal.removeEventListener("abort", notice);
    }
  }
}
