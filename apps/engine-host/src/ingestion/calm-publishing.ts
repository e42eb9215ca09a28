/** A collection is told of at most this often: its counts take longer to make the more documents it has. Milliseconds. */
const intervalMs = 250;

/** Publishes at once what was quiet, and what changes again and again only now and then; the last change is always told. */
export class CalmPublishing implements Disposable {
  readonly #send: (id: string) => Promise<void>;
  readonly #onFailure: (event: string, fields: { document: string }, error: unknown) => void;
  readonly #resting = new Map<string, { timer: NodeJS.Timeout; isChanged: boolean }>();
  #disposed = false;

  /**
   * @param send tells the present state of what has this id
   * @param onFailure hears of a telling that failed after `publish` had resolved
   */
  constructor(
    send: (id: string) => Promise<void>,
    onFailure: (event: string, fields: { document: string }, error: unknown) => void,
  ) {
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** Resolves when it was told, or when it is sure to be told later. */
  async publish(id: string): Promise<void> {
    if (this.#disposed) return;
    const resting = this.#resting.get(id);
    if (resting) {
      resting.isChanged = true;
      return;
    }
    this.#rest(id);
    await this.#send(id);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { timer } of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
  }

  #rest(id: string): void {
    const timer = setTimeout(() => {
      const isChanged = this.#resting.get(id)?.isChanged ?? false;
      this.#resting.delete(id);
      if (isChanged)
        this.publish(id).catch((error: unknown) =>
          this.#onFailure("telling of a collection failed", { document: "" }, error),
        );
    }, intervalMs);
    timer.unref();
    this.#resting.set(id, { timer, isChanged: false });
  }
}
