import type { DatabaseSync } from "node:sqlite";
import type { DocumentFormat, Sources } from "@corral/protocol";
import { row, rows } from "./database.ts";
import { documentsOfSources } from "./scope.ts";
import type { StoredChunk } from "./store.ts";

interface ChunkRow extends Omit<StoredChunk, "id" | "headingPath" | "spans" | "paged" | "label"> {
  headingPath: string;
  spans: string;
  paged: number;
  label: string | null;
  format: DocumentFormat;
}

/** Chunks with what is known of their document. */
export interface StoredChunks {
  byKey(key: number): StoredChunk | null;
  /** @param id `<document id>.<ordinal>` */
  byId(id: string): StoredChunk | null;
  /** All chunks of the ready documents of `sources`, in reading order; null when there are none or they have more tokens. */
  ofSources(sources: Sources, tokenLimit: number): StoredChunk[] | null;
}

export function storedChunks(database: DatabaseSync): StoredChunks {
  const select = `
    SELECT documents.id AS documentId, collections.id AS collectionId, documents.name AS document, paged, title, language,
      documents.format, (SELECT label FROM pages
        WHERE pages.document_key = documents.key AND page = json_extract(spans, '$[0].page')) AS label,
      ordinal, heading_path AS headingPath, text, spans, token_estimate AS tokenEstimate
    FROM chunks
    JOIN documents ON documents.key = chunks.document_key
    JOIN collections ON collections.key = documents.collection_key`;
  const chunkByKey = database.prepare(`${select} WHERE chunks.key = ?`);
  const chunkByPlace = database.prepare(`${select} WHERE documents.id = ? AND ordinal = ?`);

  const tokensOfSources = database.prepare(
    `SELECT sum(token_estimate) AS tokens FROM chunks WHERE document_key IN (${documentsOfSources})`,
  );
  const chunksOfSources = database.prepare(
    `${select} WHERE chunks.document_key IN (${documentsOfSources}) ORDER BY documents.name, documents.key, ordinal`,
  );

  return {
    ofSources({ collectionIds, documentIds }, tokenLimit) {
      const wanted = [JSON.stringify(collectionIds), JSON.stringify(documentIds)];
      const { tokens } = row<{ tokens: number | null }>(tokensOfSources, ...wanted)!;
      if (tokens === null || tokens > tokenLimit) return null;
      return rows<ChunkRow>(chunksOfSources, ...wanted).map((found) => storedChunk(found)!);
    },
    byKey: (key) => storedChunk(row<ChunkRow>(chunkByKey, key)),
    byId(id) {
      const place = /^(.+)\.(\d{1,9})$/.exec(id);
      return place && storedChunk(row<ChunkRow>(chunkByPlace, place[1]!, Number(place[2])));
    },
  };
}

function storedChunk(found: ChunkRow | undefined): StoredChunk | null {
  if (!found) return null;
  const { label: page, format, ...stored } = found;
  const headingPath = JSON.parse(stored.headingPath) as string[];
  const label = labelOf(page, format, headingPath);
  return {
    ...stored,
    ...(label !== "" && { label }),
    id: `${found.documentId}.${found.ordinal}`,
    paged: found.paged === 1,
    headingPath,
    spans: JSON.parse(found.spans) as StoredChunk["spans"],
  };
}

const sheets = new Set<DocumentFormat>(["xlsx", "ods", "csv"]);

/** The name of the page a chunk begins on; in a spreadsheet with the range of its cells, which is its last heading. */
function labelOf(page: string | null, format: DocumentFormat, headingPath: string[]): string {
  const range = sheets.has(format) ? (headingPath.at(-1) ?? "") : "";
  return [page, /^[A-Z]+\d+(?::[A-Z]+\d+)?$/.test(range) ? range : ""].filter(Boolean).join(" ");
}
