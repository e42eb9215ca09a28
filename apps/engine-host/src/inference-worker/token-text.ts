import type { LlamaModel, Token } from "node-llama-cpp";

/** How many earlier tokens the tokenizer sees to decide about spaces between words. */
const rememberedTokens = 8;
/** Bytes that never become a character are given up after this many tokens. */
const mostUnread = 64;
const brokenEnd = /\uFFFD+$/u;

/** Turns tokens into text as they come, never half a character. */
export class TokenText {
  readonly #model: LlamaModel;
  #previous: Token[] = [];
  /** Tokens whose text may still change, as it ends inside a character; `#read` characters of it are out already. */
  #unread: Token[] = [];
  #read = 0;

  constructor(model: LlamaModel) {
    this.#model = model;
  }

  /** The last token ended within a character. */
  get isInsideCharacter(): boolean {
    return this.#unread.length > 0;
  }

  /** Adds a token; answers the text that is certain now. The bytes of a character that never ends are dropped. */
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
    return added;
  }
}
