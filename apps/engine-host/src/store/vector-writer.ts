import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { encodeVector, isFiniteVector } from "./vector-codes.ts";
import { LONGEST_ROW } from "./vector-kernel.ts";
import { isGone, SEGMENT_VECTORS, segmentOf, slotOf, vectorSegments } from "./vector-segments.ts";

/** A chunk's vector, by the chunk's key. */
export interface ChunkVector {
  key: number;
  vector: Float32Array;
}

/** Adds and removes vectors; every method runs inside the caller's transaction. */
export interface VectorWriter {
  /** Chunks that are gone or have a vector are passed over. @returns how many were added */
  add(model: string, entries: ChunkVector[]): number;
  /** Removes the vectors of these documents' chunks, of every model. */
  removeDocuments(documentKeys: number[]): void;
  /** Removes vectors by their slots. */
  removeSlots(slots: number[]): void;
  /** Moves vectors to the end of their model's. */
  moveToEnd(modelKey: number, slots: number[]): void;
  /** Takes a model's vectors away at once; the rows are deleted step by step (tidy-vectors.ts). */
  dropModel(model: string): void;
}

export function vectorWriter(database: DatabaseSync): VectorWriter {
  const segments = vectorSegments(database);
  const insertModel = database.prepare("INSERT INTO vector_models (model, dimensions) VALUES (?, ?)");
  const dropModel = database.prepare("UPDATE vector_models SET dropped = 1 WHERE model = ? AND dropped = 0");
  const openSegment = database.prepare(
    `SELECT id, vectors FROM vector_segments WHERE model_key = ? AND sealed = 0 AND vectors < ${SEGMENT_VECTORS}
     ORDER BY id DESC LIMIT 1`,
  );
  const beginSegment = database.prepare("INSERT INTO vector_segments (model_key, vectors) VALUES (?, 0)");
  const setVectors = database.prepare("UPDATE vector_segments SET vectors = ? WHERE id = ?");
  const removeSegment = database.prepare("DELETE FROM vector_segments WHERE id = ?");
  const segmentSize = database.prepare("SELECT vectors, sealed FROM vector_segments WHERE id = ?");
  const documentOf = database.prepare("SELECT document_key AS documentKey FROM chunks WHERE key = ?");
  const isThere = database.prepare("SELECT 1 FROM vectors WHERE chunk_key = ? AND model_key = ?");
  const insert = database.prepare(
    "INSERT INTO vectors (slot, chunk_key, model_key, document_key, scale, high) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const insertRemainder = database.prepare("INSERT INTO vector_remainders (slot, low) VALUES (?, ?)");
  const move = database.prepare("UPDATE vectors SET slot = ? WHERE slot = ?");
  const moveRemainder = database.prepare("UPDATE vector_remainders SET slot = ? WHERE slot = ?");
  const remove = database.prepare("DELETE FROM vectors WHERE slot = ?");
  const removeRemainder = database.prepare("DELETE FROM vector_remainders WHERE slot = ?");
  const slotsOfDocument = database.prepare(
    "SELECT slot FROM chunks JOIN vectors ON chunk_key = chunks.key WHERE chunks.document_key = ?",
  );
  const setDeleted = database.prepare(
    `INSERT INTO vectors_deleted (segment, vectors, bits) VALUES (?1, ?2, ?3)
     ON CONFLICT (segment) DO UPDATE SET vectors = ?2, bits = ?3`,
  );
  const forgetDeleted = database.prepare("DELETE FROM vectors_deleted WHERE segment = ?");

  /** Gives out free places of a model, one after the other. */
  function places(modelKey: number): { next(): number; close(): void } {
    let segment: { id: number; vectors: number } | undefined;
    const save = () => segment && setVectors.run(segment.vectors, segment.id);
    return {
      next() {
        segment ??= row<{ id: number; vectors: number }>(openSegment, modelKey);
        if (!segment || segment.vectors === SEGMENT_VECTORS) {
          save();
          segment = { id: Number(beginSegment.run(modelKey).lastInsertRowid), vectors: 0 };
        }
        return slotOf(segment.id, segment.vectors++);
      },
      close: save,
    };
  }

  function modelKeyOf(model: string, dimensions: number): number {
    const known = segments.model(model);
    if (!known) return Number(insertModel.run(model, dimensions).lastInsertRowid);
    if (known.dimensions === dimensions) return known.key;
    throw new Error(`Vectors of ${model} have ${known.dimensions} dimensions, not ${dimensions}.`);
  }

  /** Marks places of a segment as gone. A segment without any vector left goes itself, unless it is still being filled. */
  function mark(segment: number, gone: number[]): void {
    const size = row<{ vectors: number; sealed: number }>(segmentSize, segment)!;
    const bits = segments.deletedBits(segment) ?? new Uint8Array(SEGMENT_VECTORS / 8);
    for (const place of gone) bits[place >> 3]! |= 1 << (place & 7);
    let deleted = 0;
    for (let place = 0; place < size.vectors; place++) if (isGone(bits, place)) deleted++;
    setDeleted.run(segment, deleted, bits);
    if (deleted < size.vectors || size.vectors < SEGMENT_VECTORS) return;
    forgetDeleted.run(segment);
    removeSegment.run(segment);
  }

  function markAll(slots: number[]): void {
    const bySegment = Map.groupBy(slots, (slot) => segmentOf(slot).segment);
    for (const [segment, gone] of bySegment)
      mark(
        segment,
        gone.map((slot) => segmentOf(slot).place),
      );
  }

  function removeSlots(slots: number[]): void {
    for (const slot of slots) {
      remove.run(slot);
      removeRemainder.run(slot);
    }
    markAll(slots);
  }

  return {
    removeSlots,
    add(model, entries) {
      const [first] = entries;
      if (!first) return 0;
      const dimensions = first.vector.length;
      if (dimensions === 0 || dimensions > LONGEST_ROW)
        throw new Error(`A vector cannot have ${dimensions} dimensions.`);
      const modelKey = modelKeyOf(model, dimensions);
      const free = places(modelKey);
      let added = 0;
      for (const { key, vector } of entries) {
        if (vector.length !== dimensions || !isFiniteVector(vector))
          throw new Error(`The vector of chunk ${key} is not one of ${dimensions} numbers.`);
        const chunk = row<{ documentKey: number }>(documentOf, key);
        if (!chunk || row(isThere, key, modelKey)) continue;
        const { scale, high, low } = encodeVector(vector);
        const slot = free.next();
        insert.run(slot, key, modelKey, chunk.documentKey, scale, new Uint8Array(high.buffer));
        insertRemainder.run(slot, low);
        added++;
      }
      free.close();
      return added;
    },
    removeDocuments(documentKeys) {
      removeSlots(documentKeys.flatMap((key) => rows<{ slot: number }>(slotsOfDocument, key).map(({ slot }) => slot)));
    },
    moveToEnd(modelKey, slots) {
      const free = places(modelKey);
      for (const slot of slots) {
        const to = free.next();
        move.run(to, slot);
        moveRemainder.run(to, slot);
      }
      free.close();
      markAll(slots);
    },
    dropModel: (model) => void dropModel.run(model),
  };
}
