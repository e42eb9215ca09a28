import { PostingListWriter } from "./posting-list.ts";

/** A segment in the making: chunks in the order of their keys, and the postings of their terms. */
export class SegmentDraft {
  readonly keys: number[] = [];
  readonly documents: number[] = [];
  readonly lengths: number[] = [];
  /** By term: chunk number and count, one after the other. */
  readonly #postings = new Map<string, number[]>();

  /** @param terms in any order, with repetitions */
  add(key: number, document: number, terms: string[]): void {
    const chunk = this.keys.push(key) - 1;
    this.documents.push(document);
    this.lengths.push(terms.length);
    for (const term of terms) {
      const entries = this.#postings.get(term);
      if (!entries) this.#postings.set(term, [chunk, 1]);
      else if (entries[entries.length - 2] === chunk) entries[entries.length - 1]!++;
      else entries.push(chunk, 1);
    }
  }

  /** Each term's list (see posting-list.ts), in the order the database keeps them. The bytes are valid during the call. */
  eachList(visit: (term: string, chunks: number, list: Uint8Array) => void): void {
    const writer = new PostingListWriter();
    const terms = [...this.#postings.keys()].sort();
    for (const term of terms) {
      const entries = this.#postings.get(term)!;
      for (let i = 0; i < entries.length; i += 2) writer.add(entries[i]!, entries[i + 1]!);
      visit(term, entries.length / 2, writer.take());
    }
  }
}
