import type { DatabaseSync } from "node:sqlite";
import type { Sources } from "@corral/protocol";
import { rows } from "./database.ts";

/** Tells of a document, by its key, whether it may be found. */
export type DocumentScope = (documentKey: number) => boolean;

/** Keys of the ready documents of `sources`: ?1 is its collection ids, ?2 its document ids, both as JSON. */
export const documentsOfSources = `SELECT documents.key FROM documents JOIN collections ON collections.key = documents.collection_key
  WHERE state = 'ready' AND (collections.id IN (SELECT value FROM json_each(?1))
    OR documents.id IN (SELECT value FROM json_each(?2)))`;

/** The ready documents of `sources` (null: all), as the running transaction sees them. */
export function documentScope(database: DatabaseSync): (sources: Sources | null) => DocumentScope {
  const wantedDocuments = database.prepare(documentsOfSources);
  const hiddenDocuments = database.prepare("SELECT key FROM documents WHERE state != 'ready' AND chunk_count > 0");
  const keysOf = (found: { key: number }[]) => new Set(found.map(({ key }) => key));

  return (sources) => {
    if (!sources) {
      const hidden = keysOf(rows(hiddenDocuments));
      return (key) => !hidden.has(key);
    }
    const { collectionIds, documentIds } = sources;
    const wanted = keysOf(rows(wantedDocuments, JSON.stringify(collectionIds), JSON.stringify(documentIds)));
    return (key) => wanted.has(key);
  };
}
