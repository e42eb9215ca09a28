import { readCallStart, type CallStart } from "../engines/tool-call-grammar.ts";

/** What was read: text to let through, and the call that begins after it. */
export interface Watched {
  text: string;
  call: { start: CallStart; written: string } | null;
}

/**
 * Watches what a model writes for the beginning of a call, at the beginning of a line and outside of quoted code. What
 * may be one is held back.
 */
export class CallWatch {
  #held = "";
  #isLineStart = true;
  #isInCode = false;
  #line = "";
  readonly #isAllowed: (start: CallStart) => boolean;

  /** @param isAllowed whether a call that begins so is one of an offered tool; else it is text */
  constructor(isAllowed: (start: CallStart) => boolean) {
    this.#isAllowed = isAllowed;
  }

  push(text: string): Watched {
    this.#held += text;
    let released = "";
    while (this.#held !== "") {
      if (this.#isLineStart && !this.#isInCode) {
        const written = this.#held.trimStart();
        const start = readCallStart(written);
        if (start === "maybe") break;
        if (start !== "no" && this.#isAllowed(start)) {
          this.#held = "";
          return { text: released, call: { start, written } };
        }
      }
      released += this.#releaseLine();
    }
    return { text: released, call: null };
  }

  /** What was held back at the end. */
  end(): string {
    const text = this.#held;
    this.#held = "";
    return text;
  }

  /** Lets through the rest of the line, as far as it is there. */
  #releaseLine(): string {
    const end = this.#held.indexOf("\n");
    const line = end < 0 ? this.#held : this.#held.slice(0, end + 1);
    this.#held = this.#held.slice(line.length);
    // Enough of the line to see whether it is a fence.
    this.#line = (this.#isLineStart ? line : this.#line + line).slice(0, 80);
    this.#isLineStart = end >= 0;
    if (this.#isLineStart && /^\s*```/.test(this.#line)) this.#isInCode = !this.#isInCode;
    return line;
  }
}
