import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import type { PostingList } from "./score.ts";
import { mayHold, TermFilterWriter } from "./term-filter.ts";
import { ByteReader, ByteWriter } from "./varints.ts";

/**
 * Terms of a segment lie together in blocks, in the order of their hashes (of equal ones, in that of their bytes): a row for
 * each term would cost more than its postings. For each term stand varint(hash less the one before it; less the block's first hash for the first),
 * varint(bytes of the term), the term in UTF-8, varint(chunks), varint(bytes of the list) and the list (posting-list.ts).
 * All terms with one hash lie in one block. In front of a segment's blocks, as if its hash were -1, lies a filter that tells
 * of most terms that they are not there (term-filter.ts).
 */
const BLOCK_BYTES = 4400;
const FILTER_PLACE = -1;
/** Blocks read at once where all of a segment is read. */
const BLOCKS_AHEAD = 64;

const encoder = new TextEncoder();
const encoded = new Map<string, Uint8Array>();

/** A term's place in the order of a segment: FNV-1a over its UTF-16 units, mixed once more so that all bits matter. */
export function hashOf(term: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Writes the postings of a segment, term by term in the order of their hashes. */
export class PostingBlockWriter {
  readonly #insert: (firstHash: number, block: Uint8Array) => void;
  readonly #block = new ByteWriter();
  readonly #filter = new TermFilterWriter();
  #first = 0;
  #last = -1;

  /** @param insert takes each finished block; its bytes are valid during the call */
  constructor(insert: (firstHash: number, block: Uint8Array) => void) {
    this.#insert = insert;
  }

  /** @param term bytes [start, end) of an array, UTF-8 */
  add(hash: number, term: Uint8Array, start: number, end: number, chunks: number, list: Uint8Array): void {
    const block = this.#block;
    if (block.length > 0 && hash !== this.#last && block.length + list.length > BLOCK_BYTES) this.#flush();
    this.#filter.add(hash);
    if (block.length === 0) this.#first = this.#last = hash;
    block.varint(hash - this.#last);
    block.varint(end - start);
    block.bytes(term, start, end);
    block.varint(chunks);
    block.varint(list.length);
    block.bytes(list, 0, list.length);
    this.#last = hash;
  }

  /** Hands on the block that is not full, and the filter. */
  finish(): void {
    this.#flush();
    this.#insert(FILTER_PLACE, this.#filter.take());
  }

  #flush(): void {
    if (this.#block.length > 0) this.#insert(this.#first, this.#block.take());
  }
}

/** Reads a segment's terms in order; after `next`, the fields say what stands there. Bytes are valid until the next `next`. */
export class PostingBlockReader {
  readonly #read: (after: number) => { firstHash: number; block: Uint8Array }[];
  readonly #in = new ByteReader();
  #blocks: { firstHash: number; block: Uint8Array }[] = [];
  #place = 0;
  #lastFirst = -1;
  hash = -1;
  termStart = 0;
  termEnd = 0;
  chunks = 0;
  listStart = 0;
  listEnd = 0;

  /** @param read the next blocks whose first hash is greater than this one, in order; none at the end */
  constructor(read: (after: number) => { firstHash: number; block: Uint8Array }[]) {
    this.#read = read;
  }

  get bytes(): Uint8Array {
    return this.#in.bytes;
  }

  /** @returns false at the end */
  next(): boolean {
    const reader = this.#in;
    reader.at = this.listEnd;
    if (reader.at >= reader.bytes.length && !this.#open()) return false;
    this.hash += reader.varint();
    const length = reader.varint();
    this.termStart = reader.at;
    this.termEnd = reader.at += length;
    this.chunks = reader.varint();
    const listLength = reader.varint();
    this.listStart = reader.at;
    this.listEnd = reader.at + listLength;
    return true;
  }

  /** Whether what stands here comes before what stands at another reader. */
  isBefore(other: PostingBlockReader): boolean {
    if (this.hash !== other.hash) return this.hash < other.hash;
    return compareBytes(this.bytes, this.termStart, this.termEnd, other.bytes, other.termStart, other.termEnd) < 0;
  }

  /** Whether the term that stands here is this one. */
  isAt(term: Uint8Array, start: number, end: number): boolean {
    return compareBytes(this.bytes, this.termStart, this.termEnd, term, start, end) === 0;
  }

  #open(): boolean {
    if (this.#place === this.#blocks.length) {
      this.#blocks = this.#read(this.#lastFirst);
      this.#place = 0;
      if (this.#blocks.length === 0) return false;
    }
    const { firstHash, block } = this.#blocks[this.#place++]!;
    this.#lastFirst = this.hash = firstHash;
    this.#in.bytes = block;
    this.#in.at = 0;
    return true;
  }
}

/** The postings of all segments in the database. */
export interface PostingTable {
  /** Writes a segment's blocks. */
  writer(segment: number): PostingBlockWriter;
  /** Reads all of a segment. */
  reader(segment: number): PostingBlockReader;
  /** A term's postings in a segment that is committed, and so never changes; null: it does not stand there. */
  find(segment: number, term: string, hash: number): PostingList | null;
}

/** What is known of a segment without reading its blocks. */
interface SegmentContents {
  firstHashes: Uint32Array;
  filter: Uint8Array;
}

/** Blocks kept in memory for `find`, bytes; and of how many segments it is known what they hold (about 2 bytes a term). */
const CACHED_BYTES = 64 * 2 ** 20;
const CACHED_SEGMENTS = 128;

export function postingTable(database: DatabaseSync): PostingTable {
  const insert = database.prepare("INSERT INTO postings (segment, first_hash, block) VALUES (?, ?, ?)");
  const following = database.prepare(
    `SELECT first_hash AS firstHash, block FROM postings WHERE segment = ? AND first_hash > ?
     ORDER BY first_hash LIMIT ${BLOCKS_AHEAD}`,
  );
  const beginnings = database.prepare(
    "SELECT first_hash AS firstHash FROM postings WHERE segment = ? AND first_hash >= 0 ORDER BY first_hash",
  );
  const blockAt = database.prepare("SELECT block FROM postings WHERE segment = ? AND first_hash = ?");
  const contents = new Map<number, SegmentContents>();
  const cache = new BlockCache(CACHED_BYTES);

  function contentsOf(segment: number): SegmentContents {
    let found = contents.get(segment);
    if (!found) {
      found = {
        firstHashes: Uint32Array.from(rows<{ firstHash: number }>(beginnings, segment), ({ firstHash }) => firstHash),
        filter: row<{ block: Uint8Array }>(blockAt, segment, FILTER_PLACE)?.block ?? new Uint8Array(),
      };
      // The oldest goes.
      if (contents.size >= CACHED_SEGMENTS) contents.delete(contents.keys().next().value!);
      contents.set(segment, found);
    }
    return found;
  }

  return {
    writer: (segment) => new PostingBlockWriter((firstHash, block) => insert.run(segment, firstHash, block)),
    reader: (segment) => new PostingBlockReader((after) => rows(following, segment, after)),
    find(segment, term, hash) {
      const { firstHashes, filter } = contentsOf(segment);
      if (!mayHold(filter, hash)) return null;
      const place = lastNotAbove(firstHashes, hash);
      if (place < 0) return null;
      const firstHash = firstHashes[place]!;
      let block = cache.get(segment, firstHash);
      if (!block) {
        block = row<{ block: Uint8Array }>(blockAt, segment, firstHash)!.block;
        cache.add(segment, firstHash, block);
      }
      return findInBlock(block, firstHash, hash, bytesOf(term));
    },
  };
}

/** The place of the last of rising numbers that is not above a value; -1: there is none. */
function lastNotAbove(rising: Uint32Array, value: number): number {
  let low = 0;
  for (let high = rising.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Blocks that were read lately. Two generations: what the older one still has is kept when it is asked for. */
class BlockCache {
  readonly #bytes: number;
  #young = new Map<number, Uint8Array>();
  #old = new Map<number, Uint8Array>();
  #youngBytes = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get(segment: number, firstHash: number): Uint8Array | undefined {
    const key = segment * 2 ** 32 + firstHash;
    const block = this.#young.get(key);
    if (block) return block;
    const older = this.#old.get(key);
    if (older) this.add(segment, firstHash, older);
    return older;
  }

  add(segment: number, firstHash: number, block: Uint8Array): void {
    if (this.#youngBytes + block.length > this.#bytes / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(segment * 2 ** 32 + firstHash, block);
    this.#youngBytes += block.length;
  }
}

function findInBlock(block: Uint8Array, firstHash: number, hash: number, term: Uint8Array): PostingList | null {
  const reader = new ByteReader();
  reader.bytes = block;
  for (let at = firstHash; reader.at < block.length;) {
    at += reader.varint();
    if (at > hash) return null;
    const length = reader.varint();
    const start = reader.at;
    reader.at += length;
    const chunks = reader.varint();
    const listLength = reader.varint();
    if (at === hash && compareBytes(block, start, start + length, term, 0, term.length) === 0)
      return { chunks, list: block.subarray(reader.at, reader.at + listLength) };
    reader.at += listLength;
  }
  return null;
}

/** Negative: the first bytes come before the second; 0: they are the same. */
function compareBytes(
  first: Uint8Array,
  firstStart: number,
  firstEnd: number,
  second: Uint8Array,
  secondStart: number,
  secondEnd: number,
): number {
  const length = Math.min(firstEnd - firstStart, secondEnd - secondStart);
  for (let i = 0; i < length; i++) {
    const difference = first[firstStart + i]! - second[secondStart + i]!;
    if (difference !== 0) return difference;
  }
  return firstEnd - firstStart - (secondEnd - secondStart);
}

/** The terms of a question are looked up in each segment. */
const ENCODED_LIMIT = 4096;

function bytesOf(term: string): Uint8Array {
  let bytes = encoded.get(term);
  if (!bytes) {
    if (encoded.size >= ENCODED_LIMIT) encoded.clear();
    encoded.set(term, (bytes = encoder.encode(term)));
  }
  return bytes;
}
