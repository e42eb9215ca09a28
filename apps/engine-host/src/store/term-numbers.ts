import { hashOf } from "./posting-blocks.ts";
import { latinLanguages, plainText, stemmedLanguage, termOf } from "./terms.ts";

/** Words remembered between segments, about 100 bytes each: more than most libraries have. */
const REMEMBERED = 131_072;

/** By UTF-16 unit: 1 is part of a word, 2 is half of a character that may be. */
const kinds = unitKinds();
const SURROGATE = 2;
const wordCharacter = /[\p{L}\p{N}\p{M}]/u;

/**
 * The terms of texts (terms.ts) as numbers, so that an index counts them without handling a string for each word. A word
 * that was seen before is recognised where it stands in the text. Numbers are valid until `forget` gives them up.
 */
export class TermNumbers {
  /** The terms of the text read last, in order and with repetitions: the first `length` of these. */
  numbers = new Uint32Array(1024);
  length = 0;

  /** What is known of each term: its hash, and where in `bytes` it stands in UTF-8. */
  hashes = new Uint32Array(1024);
  starts = new Uint32Array(1025);
  bytes = new Uint8Array(16_384);
  #count = 0;
  #numberOf = new Map<string, number>();

  /** Words seen before, in an open hash table: `#slots` holds their places (0: free, else one more). */
  #words: string[] = [];
  #wordHashes = new Int32Array(1024);
  #wordTerms = new Uint32Array(1024);
  #slots = new Int32Array(4096);
  readonly #encoder = new TextEncoder();

  /** How many terms have a number; they are numbered from 0. */
  get count(): number {
    return this.#count;
  }

  /** Gives up all numbers when there are many, so that memory is bounded. */
  forget(): void {
    if (this.#words.length <= REMEMBERED) return;
    this.#count = 0;
    this.#numberOf = new Map();
    this.#words = [];
    this.#slots = new Int32Array(4096);
  }

  /** Reads a text: its terms are then in `numbers`. @param language BCP-47, as termsOf takes it */
  read(text: string, language: string | null): void {
    this.length = 0;
    const stemmed = stemmedLanguage(language);
    // A word has another term in another language, so each language has hashes of its own.
    const seed = stemmed === null ? 0 : latinLanguages.indexOf(stemmed) + 1;
    const plain = isAscii(text) ? text : plainText(text);
    for (let at = 0; at < plain.length;) {
      if (!this.#isWordAt(plain, at)) {
        at++;
        continue;
      }
      const start = at;
      let hash = 0x811c9dc5 ^ seed;
      do {
        hash = Math.imul(hash ^ lowerUnit(plain, at), 0x01000193);
        // Both halves of a surrogate pair.
        if (kinds[plain.charCodeAt(at)] === SURROGATE) hash = Math.imul(hash ^ plain.charCodeAt(++at), 0x01000193);
        at++;
      } while (at < plain.length && this.#isWordAt(plain, at));
      if (this.length === this.numbers.length) this.numbers = grown(this.numbers);
      this.numbers[this.length++] = this.#termAt(plain, start, at, hash ^ (hash >>> 15), seed);
    }
  }

  #isWordAt(text: string, at: number): boolean {
    const kind = kinds[text.charCodeAt(at)]!;
    if (kind !== SURROGATE) return kind === 1;
    const code = text.codePointAt(at)!;
    return code > 0xffff && wordCharacter.test(String.fromCodePoint(code));
  }

  /** The number of the term of the word [start, end). */
  #termAt(text: string, start: number, end: number, hash: number, seed: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let place = this.#slots[slot]!; place > 0; place = this.#slots[slot]!) {
      if (this.#wordHashes[place - 1] === hash && this.#isWord(this.#words[place - 1]!, text, start, end, seed))
        return this.#wordTerms[place - 1]!;
      slot = (slot + 1) & mask;
    }
    const word = text.slice(start, end).toLowerCase();
    const term = this.#number(termOf(word, seed === 0 ? null : latinLanguages[seed - 1]!));
    this.#remember(seed === 0 ? word : `${word}${seed}`, hash, term, slot);
    return term;
  }

  /** Whether a remembered word, which ends with the digit of its language if it has one, is the one that stands there. */
  #isWord(word: string, text: string, start: number, end: number, seed: number): boolean {
    const length = end - start;
    if (word.length !== length + (seed === 0 ? 0 : 1)) return false;
    for (let i = 0; i < length; i++) if (word.charCodeAt(i) !== lowerUnit(text, start + i)) return false;
    return seed === 0 || word.charCodeAt(length) === 48 + seed;
  }

  #remember(word: string, hash: number, term: number, slot: number): void {
    const place = this.#words.push(word) - 1;
    if (place >= this.#wordHashes.length) {
      this.#wordHashes = grown(this.#wordHashes);
      this.#wordTerms = grown(this.#wordTerms);
    }
    this.#wordHashes[place] = hash;
    this.#wordTerms[place] = term;
    this.#slots[slot] = place + 1;
    if (2 * this.#words.length > this.#slots.length) this.#enlargeSlots();
  }

  #enlargeSlots(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let place = 0; place < this.#words.length; place++) {
      let slot = this.#wordHashes[place]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = place + 1;
    }
    this.#slots = slots;
  }

  #number(term: string): number {
    const known = this.#numberOf.get(term);
    if (known !== undefined) return known;
    const number = this.#count++;
    if (number >= this.hashes.length) {
      this.hashes = grown(this.hashes);
      this.starts = grown(this.starts);
    }
    this.hashes[number] = hashOf(term);
    const start = this.starts[number]!;
    // No UTF-16 unit takes more than three bytes.
    while (start + 3 * term.length > this.bytes.length) this.bytes = grown(this.bytes);
    this.starts[number + 1] = start + this.#encoder.encodeInto(term, this.bytes.subarray(start)).written;
    this.#numberOf.set(term, number);
    return number;
  }
}

/** A unit of text whose only capital letters are A to Z, in lower case. */
function lowerUnit(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 65 && unit <= 90 ? unit + 32 : unit;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  return true;
}

function unitKinds(): Uint8Array {
  const kinds = new Uint8Array(0x10000);
  for (let unit = 0xd800; unit <= 0xdfff; unit++) kinds[unit] = 2;
  // Asked for stretches of units, as asking for each would take longer than starting a host may.
  for (let start = 0; start < 0x10000; start += 0x800) {
    if (start === 0xd800) continue;
    const units = String.fromCharCode(...Array.from({ length: 0x800 }, (_, i) => start + i));
    for (const { index, 0: stretch } of units.matchAll(/[\p{L}\p{N}\p{M}]+/gu))
      kinds.fill(1, start + index, start + index + stretch.length);
  }
  return kinds;
}

function grown<Numbers extends Int32Array | Uint32Array | Uint8Array>(numbers: Numbers): Numbers {
  const larger = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
