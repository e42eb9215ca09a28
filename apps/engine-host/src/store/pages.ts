import type { DatabaseSync } from "node:sqlite";
import { row } from "./database.ts";
import type { PageContent, PageTable } from "./store.ts";
import type { Synchronous } from "./thread-messages.ts";

/** The text of each page (PDF) or section (other formats), with its lines' boxes. */
export function pageTable(database: DatabaseSync): Synchronous<PageTable> {
  const get = database.prepare(
    `SELECT page, text, width, height, lines FROM pages
     WHERE document_key = (SELECT key FROM documents WHERE id = ?) AND page = ?`,
  );
  return {
    get(documentId, page) {
      const found = row<Omit<PageContent, "lines"> & { lines: string }>(get, documentId, page);
      return found ? { ...found, lines: JSON.parse(found.lines) as PageContent["lines"] } : null;
    },
  };
}
