import { HighestRows, NearestRows, type ScoredRow } from "./best-rows.ts";
import type { DocumentScope } from "./scope.ts";
import { bitBytes, codeBytes, encodeQuery, writeBits } from "./vector-codes.ts";
import { VectorKernel } from "./vector-kernel.ts";
import {
  isGone,
  SEGMENT_VECTORS,
  slotOf,
  type VectorModelRow,
  type VectorSegment,
  type VectorSegments,
} from "./vector-segments.ts";

/** What of each vector is in memory: int8 codes, or a bit per component. */
export type ResidentKind = "codes" | "bits";

/** Rows of a block of memory: so many can be unused in a segment that is being filled. */
const BLOCK_ROWS = 1024;

interface ResidentSegment {
  /** Of its rows in the kernel's memory, {@link BLOCK_ROWS} each; taken as they are needed. */
  blocks: number[];
  /** Rows that are loaded. */
  vectors: number;
  /** Of each row; null when bits are resident, as they have none. */
  scales: Float32Array | null;
  /** First places of the documents' rows and the documents' keys, side by side. */
  starts: Uint16Array;
  documents: Uint32Array;
  deleted: Uint8Array | null;
  deletedVectors: number;
}

/**
 * The vectors of one model in memory, for exact scans: an int8 code or a bit per component, and 6 bytes per document.
 * `refresh` brings it to what the running transaction sees.
 */
export class ResidentVectors {
  readonly kind: ResidentKind;
  readonly model: VectorModelRow;
  readonly #store: VectorSegments;
  readonly #stride: number;
  readonly #kernel: VectorKernel;
  readonly #segments = new Map<number, ResidentSegment>();

  constructor(store: VectorSegments, model: VectorModelRow, kind: ResidentKind) {
    this.kind = kind;
    this.model = model;
    this.#store = store;
    this.#stride = kind === "codes" ? codeBytes(model.dimensions) : bitBytes(model.dimensions);
    this.#kernel = new VectorKernel(BLOCK_ROWS * this.#stride);
  }

  /** Bytes in memory: rows, scales, documents and marks. */
  get bytes(): number {
    let bytes = this.#kernel.bytes;
    for (const { scales, starts, documents, deleted } of this.#segments.values())
      bytes += (scales?.byteLength ?? 0) + starts.byteLength + documents.byteLength + (deleted?.byteLength ?? 0);
    return bytes;
  }

  /** @param listed the segments that there are */
  refresh(listed: VectorSegment[]): void {
    const ids = new Set(listed.map(({ id }) => id));
    for (const [id, { blocks }] of this.#segments) {
      if (ids.has(id)) continue;
      for (const address of blocks) this.#kernel.giveBack(address);
      this.#segments.delete(id);
    }
    for (const { id, vectors, sealed, deleted } of listed) {
      const segment = this.#segments.get(id) ?? this.#begin(id);
      if (segment.vectors === 0 && sealed) this.#loadSealed(id, segment);
      if (segment.vectors < vectors) this.#loadPlaced(id, segment, vectors);
      // Marks are only ever set, so the same number of them is the same set.
      if (segment.deletedVectors === deleted) continue;
      segment.deleted = this.#store.deletedBits(id);
      segment.deletedVectors = deleted;
    }
  }

  /** The rows with the highest dot products by their codes, best first. */
  highest(query: Float32Array, scope: DocumentScope, limit: number): ScoredRow[] {
    const { scale, terms, offset } = encodeQuery(query);
    this.#kernel.setQuery(terms);
    const best = new HighestRows(limit);
    for (const [id, segment] of this.#segments) {
      const { deleted } = segment;
      const scales = segment.scales!;
      this.#eachStretch(segment, scope, (address, from, end) => {
        const dots = this.#kernel.dot8(address, end - from, this.#stride);
        for (let place = from; place < end; place++) {
          const score = (dots[place - from]! + offset) * scales[place]! * scale;
          if (score > best.least && !isGone(deleted, place)) best.add(slotOf(id, place), score);
        }
      });
    }
    return best.ranked();
  }

  /** The slots of the rows whose bits differ least, nearest first. */
  nearest(query: Float32Array, scope: DocumentScope, limit: number): number[] {
    const bits = new Uint8Array(this.#stride);
    writeBits(query, bits);
    this.#kernel.setQueryBits(bits);
    const nearest = new NearestRows(limit, this.model.dimensions);
    for (const [id, segment] of this.#segments) {
      const { deleted } = segment;
      this.#eachStretch(segment, scope, (address, from, end) => {
        const distances = this.#kernel.hamming(address, end - from, this.#stride);
        for (let place = from; place < end; place++) {
          const distance = distances[place - from]!;
          if (distance < nearest.most && !isGone(deleted, place)) nearest.add(slotOf(id, place), distance);
        }
      });
    }
    return nearest.ranked();
  }

  /** Visits the stretches of places that belong to documents in scope and lie in one block; neighbours together. */
  #eachStretch(
    { starts, documents, vectors, blocks }: ResidentSegment,
    scope: DocumentScope,
    visit: (address: number, from: number, end: number) => void,
  ): void {
    const visitBlocks = (from: number, end: number) => {
      for (let next = from; next < end; from = next) {
        const block = Math.floor(from / BLOCK_ROWS);
        next = Math.min(end, (block + 1) * BLOCK_ROWS);
        visit(blocks[block]! + (from % BLOCK_ROWS) * this.#stride, from, next);
      }
    };
    let from = -1;
    for (let i = 0; i < documents.length; i++) {
      const isWanted = scope(documents[i]!);
      if (isWanted && from < 0) from = starts[i]!;
      if (isWanted || from < 0) continue;
      visitBlocks(from, starts[i]!);
      from = -1;
    }
    if (from >= 0) visitBlocks(from, vectors);
  }

  /** The address of the block that a place lies in. */
  #blockOf({ blocks }: ResidentSegment, place: number): number {
    while (blocks.length * BLOCK_ROWS <= place) blocks.push(this.#kernel.take());
    return blocks[Math.floor(place / BLOCK_ROWS)]!;
  }

  #begin(id: number): ResidentSegment {
    const segment: ResidentSegment = {
      blocks: [],
      vectors: 0,
      scales: this.kind === "codes" ? new Float32Array(SEGMENT_VECTORS) : null,
      starts: new Uint16Array(0),
      documents: new Uint32Array(0),
      deleted: null,
      deletedVectors: 0,
    };
    this.#segments.set(id, segment);
    return segment;
  }

  #loadSealed(id: number, segment: ResidentSegment): void {
    const { documents, scales, bits, codes } = this.#store.sealed(id, this.kind);
    const rows = this.kind === "bits" ? bits : codes;
    // Without codes the vectors themselves are read, as those of an open segment are.
    if (!rows) return;
    const blockBytes = BLOCK_ROWS * this.#stride;
    for (let from = 0; from < rows.length; from += blockBytes)
      this.#kernel.write(this.#blockOf(segment, from / this.#stride), rows.subarray(from, from + blockBytes));
    segment.scales?.set(scales);
    segment.starts = Uint16Array.from({ length: documents.length / 2 }, (_, i) => documents[2 * i]!);
    segment.documents = Uint32Array.from({ length: documents.length / 2 }, (_, i) => documents[2 * i + 1]!);
    segment.vectors = scales.length;
  }

  #loadPlaced(id: number, segment: ResidentSegment, end: number): void {
    const bits = new Uint8Array(this.#stride);
    const starts = [...segment.starts];
    const documents = [...segment.documents];
    for (const { place, documentKey, scale, high } of this.#store.placed(id, segment.vectors, end)) {
      if (this.kind === "bits") writeBits(high, bits);
      const address = this.#blockOf(segment, place) + (place % BLOCK_ROWS) * this.#stride;
      this.#kernel.write(address, this.kind === "bits" ? bits : high);
      if (segment.scales) segment.scales[place] = scale;
      if (documents.at(-1) === documentKey) continue;
      starts.push(place);
      documents.push(documentKey);
    }
    // Also where the last places are of vectors that are gone.
    this.#blockOf(segment, end - 1);
    segment.starts = Uint16Array.from(starts);
    segment.documents = Uint32Array.from(documents);
    segment.vectors = end;
  }
}
