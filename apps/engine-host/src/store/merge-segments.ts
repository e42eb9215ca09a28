import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { DecodedPostings, PostingListWriter } from "./posting-list.ts";
import { isDeleted, type Segment, type Segments, type SegmentSize } from "./segments.ts";

/** So many neighbours of about the same size become one. A search looks each word up in every segment. */
const FAN_IN = 8;
/** Chunks of the largest segment a merge makes: beyond it there is little to gain and much to write. */
const LARGEST = 131_072;
/** Rows copied or deleted before the clock is looked at again. */
const ROWS_AT_ONCE = 500;

interface Merge {
  target: number;
  sources: { segment: Segment; /** Number in the target by number in the source; -1: gone. */ numbers: Int32Array }[];
  chunks: number;
  /** Terms up to this one are done. */
  done: string;
}

/** Merges small segments in the background, step by step. A merge that a crash or a closing cuts short starts anew. */
export interface SegmentMerger {
  /**
   * Does some of what there is to do, inside the caller's transaction, for about `ms`.
   * @returns false when there is nothing left to do
   */
  step(ms: number): boolean;
  /** Forgets the merge in progress, as after a transaction that was undone. */
  abandon(): void;
}

export function segmentMerger(database: DatabaseSync, index: Segments): SegmentMerger {
  const boundary = database.prepare(
    `SELECT term FROM postings WHERE segment = ? AND term > ? ORDER BY term LIMIT 1 OFFSET ${ROWS_AT_ONCE}`,
  );
  const range = database.prepare(
    "SELECT term, chunks, list FROM postings WHERE segment = ?1 AND term > ?2 AND (?3 IS NULL OR term <= ?3)",
  );
  const insert = database.prepare("INSERT INTO postings (segment, term, chunks, list) VALUES (?, ?, ?, ?)");
  const garbage = database.prepare("SELECT segment FROM postings_garbage WHERE segment != ? LIMIT 1");
  const sweep = database.prepare(
    `DELETE FROM postings WHERE (segment, term) IN
     (SELECT segment, term FROM postings WHERE segment = ? LIMIT ${ROWS_AT_ONCE})`,
  );
  const forgetGarbage = database.prepare("DELETE FROM postings_garbage WHERE segment = ?");
  const decoded = new DecodedPostings();
  const writer = new PostingListWriter();
  let merge: Merge | null = null;

  function begin(sizes: SegmentSize[]): Merge {
    let chunks = 0;
    const sources = sizes.map((size) => {
      const segment = { ...index.load(size) };
      const numbers = new Int32Array(size.chunks);
      for (let i = 0; i < numbers.length; i++) numbers[i] = isDeleted(segment.deleted, i) ? -1 : chunks++;
      return { segment, numbers };
    });
    return { target: index.reserve(), sources, chunks, done: "" };
  }

  /** Copies the next terms. @returns whether all are copied */
  function copy(merge: Merge): boolean {
    // The first source with many terms left sets the pace.
    const upTo = merge.sources
      .map(({ segment }) => row<{ term: string }>(boundary, segment.id, merge.done)?.term)
      .find((term) => term !== undefined);
    const lists = new Map<string, { chunks: number; list: Uint8Array; numbers: Int32Array }[]>();
    for (const { segment, numbers } of merge.sources) {
      const found = rows<{ term: string; chunks: number; list: Uint8Array }>(
        range,
        segment.id,
        merge.done,
        upTo ?? null,
      );
      for (const { term, chunks, list } of found) {
        const entry = { chunks, list, numbers };
        const others = lists.get(term);
        if (others) others.push(entry);
        else lists.set(term, [entry]);
      }
    }
    for (const [term, parts] of lists) {
      for (const { chunks, list, numbers } of parts) {
        decoded.read(list, chunks);
        for (let i = 0; i < chunks; i++) {
          const number = numbers[decoded.chunks[i]!]!;
          if (number >= 0) writer.add(number, decoded.counts[i]!);
        }
      }
      const { chunks } = writer;
      const list = writer.take();
      if (chunks > 0) insert.run(merge.target, term, chunks, list);
    }
    if (upTo === undefined) return true;
    merge.done = upTo;
    return false;
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
    if (Number(sweep.run(found.segment).changes) < ROWS_AT_ONCE) forgetGarbage.run(found.segment);
    return true;
  }

  return {
    step(ms) {
      const end = performance.now() + ms;
      do {
        if (!merge) {
          const sizes = worthMerging(index.list());
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
 * Neighbours to merge next, smallest first: {@link FAN_IN} of one level with the smaller ones between them, or as many as
 * fit the largest size; else one that mostly holds deleted chunks. Null: none.
 */
export function worthMerging(sizes: SegmentSize[]): SegmentSize[] | null {
  for (let level = 0; FAN_IN ** level <= LARGEST; level++) {
    let run: SegmentSize[] = [];
    let chunks = 0;
    let ofLevel = 0;
    for (const size of sizes) {
      const live = size.chunks - size.deleted;
      const own = levelOf(live);
      if (own < level && run.length === 0) continue;
      if (own > level || chunks + live > LARGEST) {
        if (own <= level && ofLevel > 1) return run;
        run = [];
        chunks = ofLevel = 0;
        if (own !== level) continue;
      }
      run.push(size);
      chunks += live;
      if (own === level && ++ofLevel === FAN_IN) return run;
    }
  }
  const hollow = sizes.find(({ chunks, deleted }) => deleted * 2 > chunks);
  return hollow ? [hollow] : null;
}

function levelOf(chunks: number): number {
  return Math.floor(Math.log(Math.max(1, chunks)) / Math.log(FAN_IN) + 1e-9);
}
