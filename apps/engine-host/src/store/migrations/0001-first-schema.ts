import type { Migration } from "../migrate.ts";

/**
 * Rows are joined by integer keys; `id` is what the outside world sees. Times are ISO 8601 in UTC, JSON columns hold the
 * protocol's own shapes. Chunk keys are never used twice (AUTOINCREMENT), as the full-text index remembers deleted ones.
 */
export const firstSchema: Migration = {
  version: 1,
  name: "first-schema",
  up(database) {
    database.exec(`
      CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE model_files (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        added_at TEXT NOT NULL
      ) STRICT;

      CREATE TABLE collections (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL
      ) STRICT;

      CREATE TABLE documents (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        collection_key INTEGER NOT NULL REFERENCES collections (key),
        name TEXT NOT NULL,
        title TEXT,
        format TEXT NOT NULL,
        path TEXT NOT NULL,
        owned INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        state TEXT NOT NULL,
        error TEXT,
        paged INTEGER NOT NULL,
        page_count INTEGER,
        chunk_count INTEGER,
        language TEXT,
        added_at TEXT NOT NULL
      ) STRICT;
      CREATE INDEX documents_by_content ON documents (collection_key, sha256);
      CREATE INDEX documents_by_path ON documents (path);
      CREATE INDEX documents_unfinished ON documents (state) WHERE state IN ('queued', 'reading', 'indexing');

      CREATE TABLE pages (
        document_key INTEGER NOT NULL REFERENCES documents (key),
        page INTEGER NOT NULL,
        text TEXT NOT NULL,
        width REAL,
        height REAL,
        lines TEXT NOT NULL,
        PRIMARY KEY (document_key, page)
      ) STRICT;

      CREATE TABLE chunks (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        document_key INTEGER NOT NULL REFERENCES documents (key),
        ordinal INTEGER NOT NULL,
        heading_path TEXT NOT NULL,
        text TEXT NOT NULL,
        spans TEXT NOT NULL,
        token_estimate INTEGER NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX chunks_by_place ON chunks (document_key, ordinal);

      -- The search index. chunk_terms holds what the analyzer made of each chunk, separated by spaces; chunk_search finds
      -- by it; term_frequencies counts the chunks of each term. All of them change together, in saveContent and remove.
      CREATE TABLE chunk_terms (
        chunk_key INTEGER PRIMARY KEY REFERENCES chunks (key),
        length INTEGER NOT NULL,
        terms TEXT NOT NULL
      ) STRICT;
      CREATE TABLE term_frequencies (
        term TEXT PRIMARY KEY,
        chunks INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE index_totals (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        chunks INTEGER NOT NULL,
        terms INTEGER NOT NULL
      ) STRICT;
      INSERT INTO index_totals VALUES (1, 0, 0);
      CREATE VIRTUAL TABLE chunk_search
        USING fts5 (terms, scope, content = '', contentless_delete = 1, tokenize = 'ascii');

      CREATE TABLE conversations (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        search_title TEXT NOT NULL,
        settings TEXT NOT NULL,
        head_key INTEGER REFERENCES messages (key),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
      ) STRICT;
      CREATE INDEX conversations_by_use ON conversations (updated_at);

      -- parent_key has no ON DELETE CASCADE: a long chat would exceed SQLite's recursion limit (1000).
      CREATE TABLE messages (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        conversation_key INTEGER NOT NULL REFERENCES conversations (key),
        parent_key INTEGER REFERENCES messages (key),
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        search_text TEXT NOT NULL,
        state TEXT NOT NULL,
        model TEXT,
        citations TEXT NOT NULL,
        retrieval TEXT,
        timings TEXT,
        usage TEXT,
        finish_reason TEXT,
        error TEXT,
        created_at TEXT NOT NULL
      ) STRICT;
      CREATE INDEX messages_by_conversation ON messages (conversation_key);
      CREATE INDEX messages_by_parent ON messages (parent_key);
      CREATE INDEX messages_unfinished ON messages (state) WHERE state = 'streaming';
    `);
  },
};
