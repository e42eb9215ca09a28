import type { PostingBlockWriter } from "./posting-blocks.ts";
import { PostingListWriter } from "./posting-list.ts";
import { TermNumbers } from "./term-numbers.ts";

/** Terms of a draft at most: they are ordered by numbers that hold a hash (32 bits) and a place among them (21 bits). */
const MOST_TERMS = 1 << 21;

/** A segment in the making: chunks in the order of their keys, and the postings of their terms. */
export class SegmentDraft {
  keys: number[] = [];
  documents: number[] = [];
  lengths: number[] = [];
  readonly #numbers = new TermNumbers();
  /** The terms that occur, by their place in the draft; and of each: its number, and its last posting. */
  #places = 0;
  #numberOf = new Uint32Array(4096);
  #lastOf = new Uint32Array(4096);
  /** By a term's number: its place in the draft, one more (0: it does not occur yet). */
  #placeOf = new Uint32Array(4096);
  /** The postings in the order they came: place of the term, chunk number, count. */
  #postings = 0;
  #termOf = new Uint32Array(4096);
  #chunkOf = new Uint32Array(4096);
  #countOf = new Uint32Array(4096);

  /** Whether a chunk with a text of so many characters still fits. */
  hasRoomFor(characters: number): boolean {
    return this.#numbers.count + characters <= MOST_TERMS;
  }

  /** @param text all that the chunk is found by; @param language as termsOf takes it */
  add(key: number, document: number, text: string, language: string | null): void {
    const chunk = this.keys.push(key) - 1;
    const terms = this.#numbers;
    terms.read(text, language);
    this.documents.push(document);
    this.lengths.push(terms.length);
    for (let i = 0; i < terms.length; i++) {
      const place = this.#place(terms.numbers[i]!);
      const last = this.#lastOf[place]!;
      if (last < this.#postings && this.#termOf[last] === place && this.#chunkOf[last] === chunk)
        this.#countOf[last]!++;
      else this.#lastOf[place] = this.#append(place, chunk);
    }
  }

  /** Each term's list in the order of a segment (posting-blocks.ts). */
  write(blocks: PostingBlockWriter): void {
    const { hashes, starts: bytesOf, bytes } = this.#numbers;
    const ordered = new Float64Array(this.#places);
    for (let place = 0; place < ordered.length; place++)
      ordered[place] = hashes[this.#numberOf[place]!]! * MOST_TERMS + place;
    ordered.sort();
    this.#orderEqualHashes(ordered);
    const { starts, postings } = this.#byTerm();
    const list = new PostingListWriter();
    for (const entry of ordered) {
      const place = entry % MOST_TERMS;
      const number = this.#numberOf[place]!;
      const start = starts[place]!;
      const end = starts[place + 1]!;
      for (let i = start; i < end; i++) list.add(this.#chunkOf[postings[i]!]!, this.#countOf[postings[i]!]!);
      blocks.add(hashes[number]!, bytes, bytesOf[number]!, bytesOf[number + 1]!, end - start, list.take());
    }
    blocks.finish();
  }

  /** Empties the draft. */
  clear(): void {
    this.keys = [];
    this.documents = [];
    this.lengths = [];
    for (let place = 0; place < this.#places; place++) this.#placeOf[this.#numberOf[place]!] = 0;
    this.#places = this.#postings = 0;
    this.#numbers.forget();
  }

  /** Terms whose hashes are equal, which is rare, are put in the order of their bytes. */
  #orderEqualHashes(ordered: Float64Array): void {
    const { bytes, starts } = this.#numbers;
    const bytesOf = (entry: number) => {
      const number = this.#numberOf[entry % MOST_TERMS]!;
      return bytes.subarray(starts[number], starts[number + 1]);
    };
    for (let i = 1; i < ordered.length; i++) {
      if (Math.floor(ordered[i]! / MOST_TERMS) !== Math.floor(ordered[i - 1]! / MOST_TERMS)) continue;
      const hash = Math.floor(ordered[i]! / MOST_TERMS);
      const start = i - 1;
      while (i < ordered.length && Math.floor(ordered[i]! / MOST_TERMS) === hash) i++;
      ordered.subarray(start, i).sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
    }
  }

  /** Numbers of the postings, those of each term together, and where each term's begin. */
  #byTerm(): { starts: Uint32Array; postings: Uint32Array } {
    const starts = new Uint32Array(this.#places + 1);
    for (let i = 0; i < this.#postings; i++) starts[this.#termOf[i]! + 1]!++;
    for (let place = 0; place < this.#places; place++) starts[place + 1]! += starts[place]!;
    const next = starts.slice();
    const postings = new Uint32Array(this.#postings);
    for (let i = 0; i < this.#postings; i++) postings[next[this.#termOf[i]!]!++] = i;
    return { starts, postings };
  }

  #place(number: number): number {
    if (number >= this.#placeOf.length) this.#placeOf = withRoomFor(number, this.#placeOf);
    const known = this.#placeOf[number]!;
    if (known > 0) return known - 1;
    const place = this.#places++;
    if (place >= this.#numberOf.length) {
      this.#numberOf = withRoomFor(place, this.#numberOf);
      this.#lastOf = withRoomFor(place, this.#lastOf);
    }
    this.#placeOf[number] = place + 1;
    this.#numberOf[place] = number;
    // No posting yet: one that does not exist.
    this.#lastOf[place] = 0xffff_ffff;
    return place;
  }

  #append(place: number, chunk: number): number {
    const at = this.#postings++;
    if (at >= this.#termOf.length) {
      this.#termOf = withRoomFor(at, this.#termOf);
      this.#chunkOf = withRoomFor(at, this.#chunkOf);
      this.#countOf = withRoomFor(at, this.#countOf);
    }
    this.#termOf[at] = place;
    this.#chunkOf[at] = chunk;
    this.#countOf[at] = 1;
    return at;
  }
}

function withRoomFor(place: number, numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(2 * numbers.length, place + 1));
  larger.set(numbers);
  return larger;
}
