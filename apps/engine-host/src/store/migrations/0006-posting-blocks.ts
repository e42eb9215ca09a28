import type { Migration } from "../migrate.ts";

/**
 * Postings lie in blocks of many terms (posting-blocks.ts), found by the hash of a block's first term. The index is made
 * anew from the stored chunks when the database is opened, as `index.analyzer` then names another form.
 */
export const postingBlocks: Migration = {
  version: 6,
  name: "posting-blocks",
  up(database) {
    database.exec(`
      DROP TABLE postings;
      DELETE FROM postings_deleted;
      DELETE FROM postings_segments;
      DELETE FROM postings_garbage;
      UPDATE index_totals SET chunks = 0, terms = 0;

      CREATE TABLE postings (
        segment INTEGER NOT NULL,
        first_hash INTEGER NOT NULL,
        block BLOB NOT NULL,
        PRIMARY KEY (segment, first_hash)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
