import type { DatabaseSync } from "node:sqlite";
import { row } from "./database.ts";
import { type PostingBlockReader, type PostingBlockWriter, postingTable } from "./posting-blocks.ts";
import { DecodedPostings, PostingListWriter } from "./posting-list.ts";
import { isDeleted, type Segment, type Segments, type SegmentSize } from "./segments.ts";

/** So many neighbours of about the same size become one. A search looks each word up in every segment. */
const FAN_IN = 8;
/** The same while documents come in: what is written is written again less often, and searches take a little longer. */
const HURRIED_FAN_IN = 32;
/** Chunks of the largest segment a merge makes: beyond it there is little to gain and much to write. */
const LARGEST = 131_072;
/** Terms copied, or blocks deleted, before the clock is looked at again. */
const TERMS_AT_ONCE = 2000;
const BLOCKS_AT_ONCE = 200;

interface Source {
  segment: Segment;
  /** Number in the target by number in the source; -1: gone. */
  numbers: Int32Array;
  reader: PostingBlockReader;
  /** Whether all its terms are copied. */
  ended: boolean;
}

interface Merge {
  target: number;
  sources: Source[];
  chunks: number;
  blocks: PostingBlockWriter;
}

/** Merges small segments in the background, step by step. A merge that a crash or a closing cuts short starts anew. */
export interface SegmentMerger {
  /**
   * Does some of what there is to do, inside the caller's transaction, for about `ms`.
   * @param hurried true: only what cannot wait, as more documents come in
   * @returns false when there is nothing left to do
   */
  step(ms: number, hurried?: boolean): boolean;
  /** Forgets the merge in progress, as after a transaction that was undone. */
  abandon(): void;
}

export function segmentMerger(database: DatabaseSync, index: Segments): SegmentMerger {
  const postings = postingTable(database);
  const garbage = database.prepare("SELECT segment FROM postings_garbage WHERE segment != ? LIMIT 1");
  const sweep = database.prepare(
    `DELETE FROM postings WHERE (segment, first_hash) IN
     (SELECT segment, first_hash FROM postings WHERE segment = ? LIMIT ${BLOCKS_AT_ONCE})`,
  );
  const forgetGarbage = database.prepare("DELETE FROM postings_garbage WHERE segment = ?");
  const decoded = new DecodedPostings();
  const list = new PostingListWriter();
  let merge: Merge | null = null;

  function begin(sizes: SegmentSize[]): Merge {
    let chunks = 0;
    const sources = sizes.map((size) => {
      const segment = { ...index.load(size) };
      const numbers = new Int32Array(size.chunks);
      for (let i = 0; i < numbers.length; i++) numbers[i] = isDeleted(segment.deleted, i) ? -1 : chunks++;
      const reader = postings.reader(segment.id);
      return { segment, numbers, reader, ended: !reader.next() };
    });
    const target = index.reserve();
    return { target, sources, chunks, blocks: postings.writer(target) };
  }

  /** Copies the next terms. @returns whether all are copied */
  function copy({ sources, blocks }: Merge): boolean {
    for (let terms = 0; terms < TERMS_AT_ONCE; terms++) {
      // The source whose term comes next; the sources are few, so looking at each is quick.
      let next: Source | null = null;
      for (const source of sources) if (!source.ended && (!next || source.reader.isBefore(next.reader))) next = source;
      if (!next) {
        blocks.finish();
        return true;
      }
      copyTerm(sources, next, blocks);
    }
    return false;
  }

  /** Writes the postings of one term from all sources that have it; `first` is the first of them. */
  function copyTerm(sources: Source[], first: Source, blocks: PostingBlockWriter): void {
    const { hash } = first.reader;
    const term = first.reader.bytes;
    const { termStart, termEnd } = first.reader;
    for (const source of sources) {
      if (source.ended || source.reader.hash !== hash) continue;
      if (source !== first && !source.reader.isAt(term, termStart, termEnd)) continue;
      addPostings(source);
      source.ended = !source.reader.next();
    }
    const { chunks } = list;
    const bytes = list.take();
    if (chunks > 0) blocks.add(hash, term, termStart, termEnd, chunks, bytes);
  }

  function addPostings({ reader, numbers }: Source): void {
    decoded.read(reader.bytes.subarray(reader.listStart, reader.listEnd), reader.chunks);
    for (let i = 0; i < decoded.length; i++) {
      const number = numbers[decoded.chunks[i]!]!;
      if (number >= 0) list.add(number, decoded.counts[i]!);
    }
  }

  /** Lists the target in place of its sources, without what was deleted while it was made. */
  function finish({ target, sources, chunks }: Merge): void {
    const keys = new Float64Array(chunks);
    const documents = new Uint32Array(chunks);
    const lengths = new Uint32Array(chunks);
    const goneMeanwhile: number[] = [];
    const sizes = new Map(index.list().map((size) => [size.id, size]));
    for (const { segment, numbers } of sources) {
      const size = sizes.get(segment.id);
      const now = size ? index.load(size) : null;
      for (let i = 0; i < numbers.length; i++) {
        const number = numbers[i]!;
        if (number < 0) continue;
        keys[number] = segment.keys[i]!;
        documents[number] = segment.documents[i]!;
        lengths[number] = segment.lengths[i]!;
        // A segment that is off the list has lost all its chunks.
        if (!now || isDeleted(now.deleted, i)) goneMeanwhile.push(number);
      }
    }
    index.drop(sources.map(({ segment }) => segment.id));
    if (goneMeanwhile.length === chunks) return;
    index.add({ keys, documents, lengths }, target);
    if (goneMeanwhile.length > 0) index.delete(index.load({ id: target, deleted: 0 }), goneMeanwhile);
  }

  /** Deletes postings nobody reads. @returns whether there were any */
  function sweepGarbage(): boolean {
    const found = row<{ segment: number }>(garbage, merge?.target ?? -1);
    if (!found) return false;
    if (Number(sweep.run(found.segment).changes) < BLOCKS_AT_ONCE) forgetGarbage.run(found.segment);
    return true;
  }

  return {
    step(ms, hurried = false) {
      const end = performance.now() + ms;
      do {
        if (!merge) {
          const sizes = worthMerging(index.list(), hurried ? HURRIED_FAN_IN : FAN_IN);
          if (sizes) merge = begin(sizes);
          else if (!sweepGarbage()) return false;
        } else if (copy(merge)) {
          finish(merge);
          merge = null;
        }
      } while (performance.now() < end);
      return true;
    },
    abandon() {
      merge = null;
    },
  };
}

/**
 * Neighbours to merge next, smallest first: `fanIn` of one level with the smaller ones between them, or as many as
 * fit the largest size; else one that mostly holds deleted chunks. Null: none.
 */
export function worthMerging(sizes: SegmentSize[], fanIn: number = FAN_IN): SegmentSize[] | null {
  for (let level = 0; fanIn ** level <= LARGEST; level++) {
    let run: SegmentSize[] = [];
    let chunks = 0;
    let ofLevel = 0;
    for (const size of sizes) {
      const live = size.chunks - size.deleted;
      const own = levelOf(live, fanIn);
      if (own < level && run.length === 0) continue;
      if (own > level || chunks + live > LARGEST) {
        if (own <= level && ofLevel > 1) return run;
        run = [];
        chunks = ofLevel = 0;
        if (own !== level) continue;
      }
      run.push(size);
      chunks += live;
      if (own === level && ++ofLevel === fanIn) return run;
    }
  }
  const hollow = sizes.find(({ chunks, deleted }) => deleted * 2 > chunks);
  return hollow ? [hollow] : null;
}

function levelOf(chunks: number, fanIn: number): number {
  return Math.floor(Math.log(Math.max(1, chunks)) / Math.log(fanIn) + 1e-9);
}
