import type { Migration } from "../migrate.ts";

/**
 * Folders that a collection follows, with the files last seen in them; what a page is called and where its table cells
 * stand.
 *
 * `stamp` tells without reading it whether a file is still the one that was read (size, time and inode; the host makes
 * it). `folder_files.document_key` is null for a file that gave no document: it was refused (`error`), or its document was
 * removed by hand. `pages.table_rows` is JSON, see PageContent.
 */
export const followedFolders: Migration = {
  version: 4,
  name: "followed-folders",
  up(database) {
    database.exec(`
      ALTER TABLE documents ADD COLUMN stamp TEXT;
      ALTER TABLE pages ADD COLUMN label TEXT;
      ALTER TABLE pages ADD COLUMN table_rows TEXT;

      CREATE TABLE folders (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        collection_key INTEGER NOT NULL REFERENCES collections (key),
        path TEXT NOT NULL,
        state TEXT NOT NULL,
        error TEXT,
        checked_at TEXT,
        added_at TEXT NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX folders_by_path ON folders (collection_key, path);

      CREATE TABLE folder_files (
        folder_key INTEGER NOT NULL REFERENCES folders (key),
        path TEXT NOT NULL,
        stamp TEXT NOT NULL,
        document_key INTEGER REFERENCES documents (key) ON DELETE SET NULL,
        error TEXT,
        PRIMARY KEY (folder_key, path)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX folder_files_by_document ON folder_files (document_key);
    `);
  },
};
