/**
 * Hands items from whoever makes them to one reader that awaits them. After `close` or `fail` the reader still gets what
 * was put in before.
 */
export class PartQueue<Item> {
  readonly #items: Item[] = [];
  #end: { error: unknown } | "closed" | null = null;
  #wake: (() => void) | null = null;

  push(item: Item): void {
    if (this.#end !== null) return;
    this.#items.push(item);
    this.#wake?.();
  }

  close(): void {
    this.#end ??= "closed";
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Item, void> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift() as Item;
      if (this.#end === "closed") return;
      if (this.#end !== null) throw this.#end.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }
}
