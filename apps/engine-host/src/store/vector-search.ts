import { ResidentVectors, type ResidentKind } from "./resident-vectors.ts";
import type { DocumentScope } from "./scope.ts";
import { codeBytes, exactDot, roughDot } from "./vector-codes.ts";
import type { VectorModelRow, VectorSegment, VectorSegments } from "./vector-segments.ts";

/**
 * Bytes of int8 codes that may be resident: 300,000 chunks of 768 dimensions (research/retrieval.md, section 1). A larger
 * index keeps bits in memory and reads the vectors of its candidates.
 */
export const RESIDENT_CODE_BYTES = 300_000 * 768;
/** Rows that a scan of codes gives beyond those that are wanted, so that the exact scores can change their order. */
const EXTRA_CANDIDATES = 32;
/** Candidates of a search by bits until they were measured (measure-recall.ts). */
const UNMEASURED_CANDIDATES = 800;
/** Candidates for each wanted chunk where so many are wanted that the measured number, made for ten, is too small. */
const CANDIDATES_PER_CHUNK = 8;

/** A chunk by its key, with the dot product of its vector and the query. */
export interface VectorHit {
  chunkKey: number;
  score: number;
}

/** Exact search over the vectors of a model. What it keeps in memory is of the model that was searched last. */
export interface VectorSearch {
  /** Best first. */
  search(model: VectorModelRow, query: Float32Array, scope: DocumentScope, limit: number): VectorHit[];
  /** Which kind a model of this size is searched by. */
  kindFor(model: VectorModelRow, segments: VectorSegment[]): ResidentKind;
  /** Bytes that are resident. */
  readonly residentBytes: number;
}

export function vectorSearch(store: VectorSegments, residentCodeBytes: number = RESIDENT_CODE_BYTES): VectorSearch {
  let resident: ResidentVectors | null = null;

  function kindFor(model: VectorModelRow, segments: VectorSegment[]): ResidentKind {
    const bytes = placesOf(segments) * codeBytes(model.dimensions);
    // A little below the limit too, once bits are in use: so that it does not go to and fro.
    const isSettled = resident?.kind === "bits" && resident.model.key === model.key;
    return bytes > residentCodeBytes * (isSettled ? 0.8 : 1) ? "bits" : "codes";
  }

  function residentOf(model: VectorModelRow, segments: VectorSegment[]): ResidentVectors {
    const kind = kindFor(model, segments);
    if (resident?.model.key !== model.key || resident.kind !== kind) {
      resident = null;
      resident = new ResidentVectors(store, model, kind);
    }
    resident.refresh(segments);
    return resident;
  }

  return {
    kindFor,
    get residentBytes() {
      return resident?.bytes ?? 0;
    },
    search(model, query, scope, limit) {
      const vectors = residentOf(model, store.list(model.key));
      const candidates = Math.max(model.candidates ?? UNMEASURED_CANDIDATES, limit * CANDIDATES_PER_CHUNK);
      const best =
        vectors.kind === "codes"
          ? vectors.highest(query, scope, limit + EXTRA_CANDIDATES).map(({ slot }) => slot)
          : nearestByCodes(query, vectors.nearest(query, scope, candidates), limit + EXTRA_CANDIDATES);
      return best
        .map((slot) => exact(query, slot))
        .sort((a, b) => b.score - a.score || a.chunkKey - b.chunkKey)
        .slice(0, limit);
    },
  };

  /** The candidates with the highest scores by their upper bytes. */
  function nearestByCodes(query: Float32Array, slots: number[], limit: number): number[] {
    // In the order they lie on disk.
    return store
      .upperBytes(slots.sort((a, b) => a - b))
      .map((vector) => ({ slot: vector.slot, score: roughDot(query, vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, limit)
      .map(({ slot }) => slot);
  }

  function exact(query: Float32Array, slot: number): VectorHit {
    const { chunkKey, scale, high } = store.at(slot)!;
    return { chunkKey, score: exactDot(query, { scale, high, low: store.remainder(slot) }) };
  }
}

/** Places of all segments. */
export function placesOf(segments: VectorSegment[]): number {
  return segments.reduce((sum, { vectors }) => sum + vectors, 0);
}
