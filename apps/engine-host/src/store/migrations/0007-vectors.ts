import type { Migration } from "../migrate.ts";

/**
 * Vectors of chunks, by embedding model. A vector's slot is its segment's id * 8192 + its place in the segment; slots are
 * never used twice. `high` and `low` are the upper and lower bytes of its codes (vector-codes.ts); they lie apart, as the
 * lower ones are read for the very best of a search only, and rows of one byte a component fill pages better. A segment that
 * is full is sealed: `documents` (uint32 pairs: first place, document key), `scales` (float32), `bits` and `codes` (the upper
 * bytes) are then made of its vectors, to be read at once. vectors_deleted marks places whose vector is gone.
 */
export const vectors: Migration = {
  version: 7,
  name: "vectors",
  up(database) {
    database.exec(`
      CREATE TABLE vector_models (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        model TEXT NOT NULL,
        dimensions INTEGER NOT NULL,
        dropped INTEGER NOT NULL DEFAULT 0,
        -- How many rows a search by bits looks at closely, the recall that gives, and of how many vectors it was measured.
        candidates INTEGER,
        recall REAL,
        measured_vectors INTEGER
      ) STRICT;
      CREATE UNIQUE INDEX vector_models_by_name ON vector_models (model) WHERE dropped = 0;

      CREATE TABLE vector_segments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model_key INTEGER NOT NULL REFERENCES vector_models (key),
        vectors INTEGER NOT NULL,
        sealed INTEGER NOT NULL DEFAULT 0,
        documents BLOB,
        scales BLOB,
        bits BLOB,
        codes BLOB
      ) STRICT;
      CREATE INDEX vector_segments_by_model ON vector_segments (model_key, id, vectors, sealed);
      CREATE TABLE vectors_deleted (
        segment INTEGER PRIMARY KEY REFERENCES vector_segments (id),
        vectors INTEGER NOT NULL,
        bits BLOB NOT NULL
      ) STRICT;
      CREATE TABLE vectors (
        slot INTEGER PRIMARY KEY,
        chunk_key INTEGER NOT NULL REFERENCES chunks (key),
        model_key INTEGER NOT NULL REFERENCES vector_models (key),
        document_key INTEGER NOT NULL,
        scale REAL NOT NULL,
        high BLOB NOT NULL
      ) STRICT;
      CREATE TABLE vector_remainders (
        slot INTEGER PRIMARY KEY,
        low BLOB NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX vectors_by_chunk ON vectors (chunk_key, model_key);
    `);
  },
};
