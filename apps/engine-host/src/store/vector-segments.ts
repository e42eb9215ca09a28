import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import type { VectorCodes } from "./vector-codes.ts";

/** Vectors of a full segment. */
export const SEGMENT_VECTORS = 8192;

/** An embedding model whose vectors are kept. */
export interface VectorModelRow {
  key: number;
  model: string;
  dimensions: number;
  candidates: number | null;
  recall: number | null;
  measuredVectors: number | null;
}

/** How a segment stands, without its content. */
export interface VectorSegment {
  id: number;
  /** Places taken, those whose vector is gone included. */
  vectors: number;
  sealed: boolean;
  deleted: number;
}

/** A vector with its place, without its lower bytes. */
export interface PlacedVector extends Omit<VectorCodes, "low"> {
  /** In its segment. */
  place: number;
  chunkKey: number;
  documentKey: number;
}

/** What a sealed segment holds to be read at once. */
export interface SealedContent {
  /** Pairs: the first place of a document's vectors, and its key. */
  documents: Uint32Array;
  scales: Float32Array;
  bits: Uint8Array;
  /** Upper bytes, row after row; null where there are so many vectors that only bits are scanned. */
  codes: Uint8Array | null;
}

export function slotOf(segment: number, place: number): number {
  return segment * SEGMENT_VECTORS + place;
}

export function segmentOf(slot: number): { segment: number; place: number } {
  return { segment: Math.floor(slot / SEGMENT_VECTORS), place: slot % SEGMENT_VECTORS };
}

export function isGone(bits: Uint8Array | null, place: number): boolean {
  return bits !== null && (bits[place >> 3]! & (1 << (place & 7))) !== 0;
}

/** Reads vectors and their segments as the running transaction sees them. */
export interface VectorSegments {
  models(): VectorModelRow[];
  model(name: string): VectorModelRow | null;
  /** In the order they were begun. */
  list(modelKey: number): VectorSegment[];
  sealed(segment: number, part: "bits" | "codes"): SealedContent;
  /** The vectors of a segment from a place on, to `end`; places whose vector is gone are missing. */
  placed(segment: number, from: number, end?: number): PlacedVector[];
  deletedBits(segment: number): Uint8Array | null;
  at(slot: number): PlacedVector | null;
  /** The upper bytes of many vectors, in any order: one statement for all, as starting one costs more than the row. */
  upperBytes(slots: number[]): { slot: number; scale: number; high: Int8Array }[];
  /** The lower bytes of a vector. */
  remainder(slot: number): Uint8Array;
  /** How many vectors of a segment have their lower bytes. */
  remainders(segment: number): number;
}

interface PlacedRow {
  slot: number;
  chunkKey: number;
  documentKey: number;
  scale: number;
  high: Uint8Array;
}

export function vectorSegments(database: DatabaseSync): VectorSegments {
  const modelColumns = `key, model, dimensions, candidates, recall, measured_vectors AS measuredVectors`;
  const models = database.prepare(`SELECT ${modelColumns} FROM vector_models WHERE dropped = 0 ORDER BY key`);
  const model = database.prepare(`SELECT ${modelColumns} FROM vector_models WHERE dropped = 0 AND model = ?`);
  const list = database.prepare(
    `SELECT id, vector_segments.vectors, sealed, coalesce(vectors_deleted.vectors, 0) AS deleted FROM vector_segments
     LEFT JOIN vectors_deleted ON segment = id WHERE model_key = ? ORDER BY id`,
  );
  const sealedBits = database.prepare(
    "SELECT documents, scales, bits, NULL AS codes FROM vector_segments WHERE id = ?",
  );
  const sealedCodes = database.prepare("SELECT documents, scales, bits, codes FROM vector_segments WHERE id = ?");
  const columns = "slot, chunk_key AS chunkKey, document_key AS documentKey, scale, high";
  const placed = database.prepare(`SELECT ${columns} FROM vectors WHERE slot >= ? AND slot < ? ORDER BY slot`);
  const at = database.prepare(`SELECT ${columns} FROM vectors WHERE slot = ?`);
  const upperBytes = database.prepare(
    "SELECT slot, scale, high FROM json_each(?) JOIN vectors ON slot = json_each.value",
  );
  const remainder = database.prepare("SELECT low FROM vector_remainders WHERE slot = ?");
  const remainders = database.prepare("SELECT count(*) AS vectors FROM vector_remainders WHERE slot >= ? AND slot < ?");
  const deletedBits = database.prepare("SELECT bits FROM vectors_deleted WHERE segment = ?");

  return {
    models: () => rows<VectorModelRow>(models),
    model: (name) => row<VectorModelRow>(model, name) ?? null,
    list: (modelKey) =>
      rows<Omit<VectorSegment, "sealed"> & { sealed: number }>(list, modelKey).map((found) => ({
        ...found,
        sealed: found.sealed === 1,
      })),
    sealed(segment, part) {
      const found = row<Record<"documents" | "scales" | "bits", Uint8Array> & { codes: Uint8Array | null }>(
        part === "bits" ? sealedBits : sealedCodes,
        segment,
      )!;
      return {
        documents: new Uint32Array(found.documents.slice().buffer),
        scales: new Float32Array(found.scales.slice().buffer),
        bits: found.bits,
        codes: found.codes,
      };
    },
    placed: (segment, from, end = SEGMENT_VECTORS) =>
      rows<PlacedRow>(placed, slotOf(segment, from), slotOf(segment, end)).map(placedVector),
    deletedBits: (segment) => row<{ bits: Uint8Array }>(deletedBits, segment)?.bits ?? null,
    at(slot) {
      const found = row<PlacedRow>(at, slot);
      return found ? placedVector(found) : null;
    },
    upperBytes: (slots) =>
      rows<{ slot: number; scale: number; high: Uint8Array }>(upperBytes, JSON.stringify(slots)).map(
        ({ slot, scale, high }) => ({ slot, scale, high: signed(high) }),
      ),
    remainders: (segment) => row<{ vectors: number }>(remainders, slotOf(segment, 0), slotOf(segment + 1, 0))!.vectors,
    remainder: (slot) => row<{ low: Uint8Array }>(remainder, slot)!.low,
  };
}

function placedVector({ slot, chunkKey, documentKey, scale, high }: PlacedRow): PlacedVector {
  return { place: segmentOf(slot).place, chunkKey, documentKey, scale, high: signed(high) };
}

function signed(bytes: Uint8Array): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
