import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { RecallMeasurement } from "./measure-recall.ts";
import { bitBytes, codeBytes, writeBits } from "./vector-codes.ts";
import { placesOf, RESIDENT_CODE_BYTES } from "./vector-search.ts";
import { SEGMENT_VECTORS, slotOf, type VectorModelRow, vectorSegments } from "./vector-segments.ts";
import type { VectorWriter } from "./vector-writer.ts";

/** Vectors moved or deleted in one step. */
const ROWS_AT_ONCE = 250;
/** The recall is measured again when there are so many times more vectors. */
const MEASURED_GROWTH = 1.5;

/** Tidies the vectors in the background, step by step. Whatever a crash cuts short is found and done again. */
export interface VectorTidier {
  /**
   * Does some of what there is to do, inside the caller's transaction: up to about 60 ms.
   * @returns false when there is nothing left to do
   */
  step(): boolean;
  /** Forgets what is in memory, as after a transaction that was undone. */
  abandon(): void;
}

export function vectorTidier(
  database: DatabaseSync,
  writer: VectorWriter,
  residentCodeBytes: number = RESIDENT_CODE_BYTES,
): VectorTidier {
  const segments = vectorSegments(database);
  const full = database.prepare(
    `SELECT id, model_key AS modelKey FROM vector_segments WHERE sealed = 0 AND vectors = ${SEGMENT_VECTORS}
     AND model_key = ? LIMIT 1`,
  );
  const seal = database.prepare(
    "UPDATE vector_segments SET sealed = 1, documents = ?, scales = ?, bits = ?, codes = ? WHERE id = ?",
  );
  const withCodes = database.prepare(
    "SELECT id FROM vector_segments WHERE model_key = ? AND codes IS NOT NULL LIMIT 1",
  );
  const forgetCodes = database.prepare("UPDATE vector_segments SET codes = NULL WHERE id = ?");
  const slots = database.prepare(`SELECT slot FROM vectors WHERE slot >= ? AND slot < ? LIMIT ${ROWS_AT_ONCE}`);
  const dropped = database.prepare("SELECT key FROM vector_models WHERE dropped = 1 LIMIT 1");
  const anySegment = database.prepare("SELECT id FROM vector_segments WHERE model_key = ? LIMIT 1");
  const removeVector = database.prepare("DELETE FROM vectors WHERE slot = ?");
  const removeRemainder = database.prepare("DELETE FROM vector_remainders WHERE slot = ?");
  const forgetDeleted = database.prepare("DELETE FROM vectors_deleted WHERE segment = ?");
  const removeSegment = database.prepare("DELETE FROM vector_segments WHERE id = ?");
  const removeModel = database.prepare("DELETE FROM vector_models WHERE key = ?");
  const setRecall = database.prepare(
    "UPDATE vector_models SET candidates = ?, recall = ?, measured_vectors = ? WHERE key = ?",
  );
  let measurement: RecallMeasurement | null = null;

  const slotsOf = (segment: number) =>
    rows<{ slot: number }>(slots, slotOf(segment, 0), slotOf(segment + 1, 0)).map(({ slot }) => slot);

  /** Makes the parts of a full segment that are read at once. */
  function sealNext({ key, dimensions }: VectorModelRow, keepsCodes: boolean): boolean {
    const found = row<{ id: number }>(full, key);
    if (!found) return false;
    const documents: number[] = [];
    const scales = new Float32Array(SEGMENT_VECTORS);
    const bits = new Uint8Array(SEGMENT_VECTORS * bitBytes(dimensions));
    const codes = new Int8Array(keepsCodes ? SEGMENT_VECTORS * codeBytes(dimensions) : 0);
    for (const vector of segments.placed(found.id, 0)) {
      const { place, documentKey, high } = vector;
      if (documents.at(-1) !== documentKey) documents.push(place, documentKey);
      scales[place] = vector.scale;
      writeBits(high, bits.subarray(place * bitBytes(dimensions), (place + 1) * bitBytes(dimensions)));
      if (keepsCodes) codes.set(high, place * codeBytes(dimensions));
    }
    seal.run(bytesOf(Uint32Array.from(documents)), bytesOf(scales), bits, keepsCodes ? bytesOf(codes) : null, found.id);
    return true;
  }

  /** Moves vectors out of a segment that mostly holds places of vectors that are gone. */
  function moveOut(model: VectorModelRow): boolean {
    const hollow = segments
      .list(model.key)
      .find(({ vectors, deleted }) => vectors === SEGMENT_VECTORS && deleted * 2 > vectors);
    if (!hollow) return false;
    writer.moveToEnd(model.key, slotsOf(hollow.id));
    return true;
  }

  function forgetNextCodes(model: VectorModelRow): boolean {
    const found = row<{ id: number }>(withCodes, model.key);
    if (found) forgetCodes.run(found.id);
    return found !== undefined;
  }

  function measure(model: VectorModelRow): boolean {
    const listed = segments.list(model.key);
    const live = listed.reduce((sum, { vectors, deleted }) => sum + vectors - deleted, 0);
    if (measurement?.model.key !== model.key) {
      if (model.measuredVectors !== null && live < model.measuredVectors * MEASURED_GROWTH) return false;
      measurement = new RecallMeasurement(segments, model, listed);
    }
    const result = measurement.step();
    if (!result) return true;
    measurement = null;
    setRecall.run(result.candidates, result.recall, live, model.key);
    return true;
  }

  /** Deletes some of what a dropped model left. */
  function sweep(): boolean {
    const model = row<{ key: number }>(dropped);
    if (!model) return false;
    const segment = row<{ id: number }>(anySegment, model.key);
    if (!segment) {
      removeModel.run(model.key);
      return true;
    }
    const found = slotsOf(segment.id);
    for (const slot of found) {
      removeVector.run(slot);
      removeRemainder.run(slot);
    }
    if (found.length > 0) return true;
    forgetDeleted.run(segment.id);
    removeSegment.run(segment.id);
    return true;
  }

  return {
    step() {
      for (const model of segments.models()) {
        const isLarge = placesOf(segments.list(model.key)) * codeBytes(model.dimensions) > residentCodeBytes;
        if (sealNext(model, !isLarge) || moveOut(model)) return true;
        if (isLarge && (measure(model) || forgetNextCodes(model))) return true;
      }
      return sweep();
    },
    abandon() {
      measurement = null;
    },
  };
}

function bytesOf(array: Uint32Array | Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
