import { ByteReader, ByteWriter } from "./varints.ts";

/** Postings of a list that can be stepped over at once. */
const GROUP = 128;

/**
 * Which chunks of a segment hold a term, and how often: for each chunk, in order, varint(step << 1 | more) and, where `more`
 * is set, varint(count). `step` is the chunk's number less the one before it (less 0 for the first), a count without
 * `more` is 1. Varints have seven bits to the byte, lowest first, the top bit says that another byte follows.
 *
 * In front of it stands, for every full group of {@link GROUP} postings that another one follows, varint(steps of the group
 * together) and varint(bytes of the group), so that a reader who wants few chunks can pass over the others.
 */
export class PostingListWriter {
  readonly #postings = new ByteWriter();
  readonly #list = new ByteWriter();
  #groups: number[] = [];
  #last = 0;
  #groupStart = 0;
  #groupLast = 0;
  #chunks = 0;

  /** How many chunks were added. */
  get chunks(): number {
    return this.#chunks;
  }

  /** @param chunk its number in the segment, greater than those before */
  add(chunk: number, count: number): void {
    if (this.#chunks > 0 && this.#chunks % GROUP === 0) this.#closeGroup();
    const step = chunk - this.#last;
    if (count > 1) {
      this.#postings.varint(step * 2 + 1);
      this.#postings.varint(count);
    } else this.#postings.varint(step * 2);
    this.#last = chunk;
    this.#chunks++;
  }

  /** The list so far; the writer is then empty again. The bytes are valid until the next `take`. */
  take(): Uint8Array {
    const postings = this.#postings.take();
    const groups = this.#groups;
    this.#last = this.#groupStart = this.#groupLast = this.#chunks = 0;
    if (groups.length === 0) return postings;
    for (const value of groups) this.#list.varint(value);
    this.#groups = [];
    this.#list.bytes(postings, 0, postings.length);
    return this.#list.take();
  }

  #closeGroup(): void {
    const { length } = this.#postings;
    this.#groups.push(this.#last - this.#groupLast, length - this.#groupStart);
    this.#groupLast = this.#last;
    this.#groupStart = length;
  }
}

/** Room for the postings of one list; used again for the next one. */
export class DecodedPostings {
  chunks = new Uint32Array(1024);
  counts = new Uint32Array(1024);
  length = 0;

  /** Reads a list of `length` postings. */
  read(list: Uint8Array, length: number): void {
    if (this.chunks.length < length) {
      this.chunks = new Uint32Array(length * 2);
      this.counts = new Uint32Array(length * 2);
    }
    const skipped = 2 * followedGroups(length);
    let at = 0;
    for (let i = 0; i < skipped; i++) while (list[at++]! > 127);
    decode(list, at, 0, length, this.chunks, this.counts);
    this.length = length;
  }
}

/** Asks a list about some chunks, decoding only the groups they may stand in. */
export class PostingCursor {
  readonly #list: Uint8Array;
  readonly #length: number;
  /** The last chunk and the first byte of each group. */
  readonly #lasts: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #chunks = new Uint32Array(GROUP);
  readonly #counts = new Uint32Array(GROUP);
  #group = -1;
  #decoded = 0;
  #next = 0;

  constructor(list: Uint8Array, length: number) {
    this.#list = list;
    this.#length = length;
    const followed = followedGroups(length);
    this.#lasts = new Uint32Array(followed + 1);
    this.#starts = new Uint32Array(followed + 1);
    const reader = new ByteReader();
    reader.bytes = list;
    let last = 0;
    let start = 0;
    for (let group = 0; group < followed; group++) {
      this.#lasts[group] = last += reader.varint();
      this.#starts[group] = start;
      start += reader.varint();
    }
    this.#starts[followed] = start;
    this.#lasts[followed] = 0xffff_ffff;
    for (let group = 0; group <= followed; group++) this.#starts[group]! += reader.at;
  }

  /** How often the term stands in a chunk. Chunks are asked for in rising order. */
  countAt(chunk: number): number {
    let group = Math.max(this.#group, 0);
    while (this.#lasts[group]! < chunk) group++;
    if (group !== this.#group) this.#open(group);
    while (this.#next < this.#decoded && this.#chunks[this.#next]! < chunk) this.#next++;
    return this.#next < this.#decoded && this.#chunks[this.#next] === chunk ? this.#counts[this.#next]! : 0;
  }

  #open(group: number): void {
    this.#group = group;
    this.#next = 0;
    this.#decoded = Math.min(GROUP, this.#length - group * GROUP);
    const before = group === 0 ? 0 : this.#lasts[group - 1]!;
    decode(this.#list, this.#starts[group]!, before, this.#decoded, this.#chunks, this.#counts);
  }
}

/** Groups of a list that another one follows. */
function followedGroups(length: number): number {
  return Math.max(0, Math.ceil(length / GROUP) - 1);
}

/** Reads `length` postings that begin at byte `at`. @param before the chunk in front of the first */
function decode(
  list: Uint8Array,
  at: number,
  before: number,
  length: number,
  chunks: Uint32Array,
  counts: Uint32Array,
): void {
  let chunk = before;
  for (let i = 0; i < length; i++) {
    let byte = list[at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = list[at++]!;
      value |= (byte & 127) << shift;
    }
    chunk += value >>> 1;
    chunks[i] = chunk;
    if ((value & 1) === 0) {
      counts[i] = 1;
      continue;
    }
    byte = list[at++]!;
    value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = list[at++]!;
      value |= (byte & 127) << shift;
    }
    counts[i] = value;
  }
}
