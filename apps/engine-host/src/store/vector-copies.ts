import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import type { DocumentVectors, VectorTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";
import { isFiniteVector } from "./vector-codes.ts";
import type { VectorWriter } from "./vector-writer.ts";

interface CodesRow {
  model: string;
  dimensions: number;
  ordinal: number;
  scale: number;
  high: Uint8Array;
  low: Uint8Array;
}

/** Vectors as they leave with a document and come back with it, by the places of its chunks. */
export function vectorCopies(
  database: DatabaseSync,
  writer: VectorWriter,
): Pick<Synchronous<VectorTable>, "ofDocument" | "addToDocument"> {
  const codes = database.prepare(
    `SELECT model, dimensions, ordinal, scale, high, low FROM documents
     JOIN chunks ON chunks.document_key = documents.key
     JOIN vectors ON vectors.chunk_key = chunks.key
     JOIN vector_remainders ON vector_remainders.slot = vectors.slot
     JOIN vector_models ON vector_models.key = model_key
     WHERE documents.id = ? AND dropped = 0 ORDER BY model_key, ordinal`,
  );
  const chunkKeys = database.prepare(
    `SELECT chunks.key, ordinal FROM chunks JOIN documents ON documents.key = document_key WHERE documents.id = ?`,
  );
  const dimensionsOf = database.prepare("SELECT dimensions FROM vector_models WHERE model = ? AND dropped = 0");

  return {
    ofDocument(documentId) {
      const found = new Map<string, DocumentVectors>();
      for (const { model, dimensions, ordinal, scale, high, low } of rows<CodesRow>(codes, documentId)) {
        let ofModel = found.get(model);
        if (!ofModel) found.set(model, (ofModel = { model, dimensions, entries: [] }));
        const vector = new Float32Array(dimensions);
        const upper = new Int8Array(high.buffer, high.byteOffset, dimensions);
        for (let i = 0; i < dimensions; i++) vector[i] = (upper[i]! * 256 + low[i]!) * scale;
        ofModel.entries.push({ ordinal, vector });
      }
      return [...found.values()];
    },
    addToDocument(documentId, { model, dimensions, entries }) {
      const known = row<{ dimensions: number }>(dimensionsOf, model);
      if (known && known.dimensions !== dimensions) return 0;
      const keys = new Map(
        rows<{ key: number; ordinal: number }>(chunkKeys, documentId).map(({ key, ordinal }) => [ordinal, key]),
      );
      const usable = entries.flatMap(({ ordinal, vector }) => {
        const key = keys.get(ordinal);
        const unit = vector.length === dimensions && isFiniteVector(vector) ? ofUnitLength(vector) : null;
        return key === undefined || unit === null ? [] : [{ key, vector: unit }];
      });
      return writer.add(model, usable);
    },
  };
}

/** Null: a vector without direction. */
function ofUnitLength(vector: Float32Array): Float32Array | null {
  const length = Math.sqrt(vector.reduce((sum, component) => sum + component * component, 0));
  return length > 0 && Number.isFinite(length) ? vector.map((component) => component / length) : null;
}
