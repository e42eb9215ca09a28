import type { TokenLogprob } from "../engines/engine.ts";

/** Shortest time between two deltas, ms: about one screen refresh in two, and few frames on the wire (design.md §4). */
const intervalMs = 30;

type Emit = (text: string, tokens: number, logprobs: TokenLogprob[]) => void;

/** Collects pieces of text and hands them on at most every 30 ms: the first at once, the last on disposal. */
export class DeltaBuffer implements Disposable {
  readonly #emit: Emit;
  #text = "";
  #tokens = 0;
  #logprobs: TokenLogprob[] = [];
  #lastAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Adds what so many tokens gave, possibly nothing yet. */
  add(text: string, tokens: number, logprobs: TokenLogprob[] = []): void {
    this.#tokens += tokens;
    this.#logprobs.push(...logprobs);
    this.#text += text;
    if (this.#text === "") return;
    const wait = this.#lastAt + intervalMs - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  /** Hands on now what there is: not before there is text. */
  flush(): void {
    if (this.#text !== "") this.#handOn();
  }

  /** Tokens that gave no text at the end count too: their log probabilities were asked for. */
  [Symbol.dispose](): void {
    if (this.#text !== "" || this.#logprobs.length > 0) this.#handOn();
  }

  #handOn(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#lastAt = performance.now();
    this.#emit(this.#text, this.#tokens, this.#logprobs);
    this.#text = "";
    this.#tokens = 0;
    this.#logprobs = [];
  }
}
