import type { DatabaseSync } from "node:sqlite";
import type { DocumentFormat } from "@corral/protocol";
import { rows } from "./database.ts";
import { phraseMatcher } from "./exact-words.ts";
import { indexedTitle } from "./index-writer.ts";
import { type FieldFilter, isOfType, type SearchQuery } from "./query.ts";
import type { DocumentScope } from "./scope.ts";
import type { StoredChunk } from "./store.ts";

/** What a query asks of a hit besides its words. */
export interface QueryConstraints {
  /** Whether a document, by its key, has the fields that are asked for. */
  documents: DocumentScope;
  /** Whether a chunk (with its title and headings) holds the phrases and nothing that is left out. */
  accepts(chunk: Pick<StoredChunk, "title" | "document" | "headingPath" | "text">): boolean;
  /** False: `accepts` accepts every chunk. */
  looksAtText: boolean;
}

interface DocumentRow {
  key: number;
  name: string;
  format: DocumentFormat;
  addedAt: string;
  collection: string;
}

/** Prepares a query's constraints, as the running transaction sees the documents. */
export function queryConstraints(database: DatabaseSync): (query: SearchQuery) => QueryConstraints {
  const documents = database.prepare(
    `SELECT documents.key, documents.name, format, added_at AS addedAt, collections.name AS collection
     FROM documents JOIN collections ON collections.key = collection_key`,
  );

  return ({ fields, phrases, excluded }) => {
    const phraseMatches = phrases.map(phraseMatcher);
    const excludedMatches = excluded.map(phraseMatcher);
    const looksAtText = phrases.length > 0 || excluded.length > 0;
    let keys: Set<number> | null = null;
    if (fields.length > 0) {
      const holds = fieldsMatcher(fields);
      keys = new Set(rows<DocumentRow>(documents).flatMap((document) => (holds(document) ? document.key : [])));
    }
    return {
      looksAtText,
      documents: (key) => keys === null || keys.has(key),
      accepts({ title, document, headingPath, text }) {
        if (!looksAtText) return true;
        const texts = [text, ...headingPath, indexedTitle(title, document)];
        return (
          phraseMatches.every((matches) => texts.some(matches)) &&
          !excludedMatches.some((matches) => texts.some(matches))
        );
      },
    };
  };
}

/** Each field must have one of the values asked for, and none of those left out. */
function fieldsMatcher(fields: FieldFilter[]): (document: DocumentRow) => boolean {
  const wanted = Map.groupBy(
    fields.filter(({ isExcluded }) => !isExcluded),
    ({ field }) => field,
  );
  const left = fields.filter(({ isExcluded }) => isExcluded);
  return (document) =>
    [...wanted.values()].every((ofField) => ofField.some((filter) => isMet(filter, document))) &&
    !left.some((filter) => isMet(filter, document));
}

function isMet(filter: FieldFilter, { name, format, addedAt, collection }: DocumentRow): boolean {
  switch (filter.field) {
    case "file":
      return folded(name).includes(folded(filter.value));
    case "collection":
      return folded(collection).includes(folded(filter.value));
    case "type":
      return isOfType(filter.value, format, name);
    case "date": {
      const day = localDay(addedAt);
      return (filter.from === null || day >= filter.from) && (filter.before === null || day < filter.before);
    }
  }
}

function folded(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** The day of a time where this machine stands: people mean their own days. */
function localDay(time: string): string {
  const date = new Date(time);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
