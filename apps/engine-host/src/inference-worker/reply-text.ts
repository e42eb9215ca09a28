import type { LlamaModel, Token } from "node-llama-cpp";

/** How many earlier tokens the tokenizer sees to decide about spaces between words. */
const rememberedTokens = 8;
/** Bytes that never become a character are given up after this many tokens. */
const mostUnread = 64;
const brokenEnd = /\uFFFD+$/u;

/**
 * Turns reply tokens into text as they come: never half a character, and nothing that may turn out to be the beginning of
 * a stop text.
 */
export class ReplyText {
  readonly #model: LlamaModel;
  readonly #stopTexts: readonly string[];
  #previous: Token[] = [];
  /** Tokens whose text may still change, as it ends inside a character; `#read` characters of it are out already. */
  #unread: Token[] = [];
  #read = 0;
  /** Text not handed out yet, as it may begin a stop text. */
  #held = "";
  #stopped = false;

  constructor(model: LlamaModel, stopTexts: readonly string[]) {
    this.#model = model;
    this.#stopTexts = stopTexts;
  }

  /** A stop text was written; the reply ends before it. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Adds a token; answers the text that is certain now. */
  push(token: Token): string {
    this.#unread.push(token);
    const text = this.#model.detokenize(this.#unread, false, this.#previous);
    const whole = text.replace(brokenEnd, "");
    const added = whole.slice(this.#read);
    if (whole === text || this.#unread.length >= mostUnread) {
      this.#previous = [...this.#previous, ...this.#unread].slice(-rememberedTokens);
      this.#unread = [];
      this.#read = 0;
    } else {
      this.#read = whole.length;
    }
    return this.#release(added);
  }

  /** The text still held back at the end; the bytes of an unfinished character are dropped. */
  end(): string {
    if (this.#stopped) return "";
    this.#unread = [];
    const text = this.#held;
    this.#held = "";
    return text;
  }

  #release(text: string): string {
    if (this.#stopTexts.length === 0) return text;
    this.#held += text;
    const stops = this.#stopTexts.map((stop) => this.#held.indexOf(stop)).filter((index) => index >= 0);
    if (stops.length > 0) {
      this.#stopped = true;
      const kept = this.#held.slice(0, Math.min(...stops));
      this.#held = "";
      return kept;
    }
    const release = this.#held.length - this.#longestStart();
    const released = this.#held.slice(0, release);
    this.#held = this.#held.slice(release);
    return released;
  }

  /** Length of the longest end of the held text that begins a stop text. */
  #longestStart(): number {
    let longest = 0;
    for (const stop of this.#stopTexts) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
