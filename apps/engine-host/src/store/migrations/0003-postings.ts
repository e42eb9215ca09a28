import type { Migration } from "../migrate.ts";

/**
 * Own postings in place of the FTS5 index. They are made from the stored chunks when the database is opened, as the index
 * that `index.analyzer` names is then another one.
 *
 * A segment holds the postings of some chunks, which have numbers from 0 in it; segments follow each other in the order of
 * chunk keys. `keys` (float64), `documents` and `lengths` (uint32, terms of a chunk) have an entry per chunk, `postings.list`
 * is read by posting-list.ts, `postings_deleted.bits` marks chunks that are gone. postings_garbage names segments whose
 * postings no search reads: a merge that is not finished, or sources of one that is.
 */
export const postings: Migration = {
  version: 3,
  name: "postings",
  up(database) {
    database.exec(`
      DROP TABLE chunk_search;
      DROP TABLE chunk_terms;
      DROP TABLE term_frequencies;
      UPDATE index_totals SET chunks = 0, terms = 0;

      CREATE TABLE postings_segments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        first_key INTEGER NOT NULL,
        last_key INTEGER NOT NULL,
        chunks INTEGER NOT NULL,
        keys BLOB NOT NULL,
        documents BLOB NOT NULL,
        lengths BLOB NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX postings_segments_by_key ON postings_segments (first_key, last_key, chunks);
      CREATE TABLE postings_deleted (
        segment INTEGER PRIMARY KEY REFERENCES postings_segments (id),
        chunks INTEGER NOT NULL,
        bits BLOB NOT NULL
      ) STRICT;
      CREATE TABLE postings (
        segment INTEGER NOT NULL,
        term TEXT NOT NULL,
        chunks INTEGER NOT NULL,
        list BLOB NOT NULL,
        PRIMARY KEY (segment, term)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE postings_garbage (segment INTEGER PRIMARY KEY) STRICT;

      CREATE INDEX documents_hidden ON documents (key) WHERE state != 'ready' AND chunk_count > 0;
    `);
  },
};
