import { cleanText } from "./text-encoding.ts";

/** Sentences kept about what could not be read; more are counted. */
const maxNotes = 10;

/** What could not be read of a document: parts of it, each with the reason. */
export class Losses {
  readonly #parts: string[] = [];
  #more = 0;

  add(part: string, reason: string): void {
    const name = cleanText(part).replace(/\s+/g, " ").trim().slice(-200) || "a part without name";
    if (this.#parts.length < maxNotes) this.#parts.push(`${name} (${reason})`);
    else this.#more++;
  }

  get count(): number {
    return this.#parts.length + this.#more;
  }

  list(): string[] {
    return this.#more > 0 ? [...this.#parts, `${this.#more} more`] : this.#parts;
  }
}
