/** Shortest time between two deltas, ms: about one screen refresh in two, and few frames on the wire (design.md §4). */
const intervalMs = 30;

/** Collects pieces of text and hands them on at most every 30 ms: the first at once, the last on disposal. */
export class DeltaBuffer implements Disposable {
  readonly #emit: (text: string, tokens: number) => void;
  #text = "";
  #tokens = 0;
  #lastAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(emit: (text: string, tokens: number) => void) {
    this.#emit = emit;
  }

  /** Adds what one token gave, possibly nothing yet. */
  add(text: string): void {
    this.#tokens++;
    this.addText(text);
  }

  /** Adds text that belongs to tokens already counted. */
  addText(text: string): void {
    this.#text += text;
    if (this.#text === "") return;
    const wait = this.#lastAt + intervalMs - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  [Symbol.dispose](): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#text === "") return;
    this.#lastAt = performance.now();
    this.#emit(this.#text, this.#tokens);
    this.#text = "";
    this.#tokens = 0;
  }
}
