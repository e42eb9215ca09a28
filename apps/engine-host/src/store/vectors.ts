import type { DatabaseSync } from "node:sqlite";
import { row, rows } from "./database.ts";
import { indexedTitle } from "./index-writer.ts";
import { parseQuery, plainQuery } from "./query.ts";
import { queryConstraints } from "./query-constraints.ts";
import { type DocumentScope, documentScope } from "./scope.ts";
import type { VectorTable } from "./store.ts";
import { storedChunks } from "./stored-chunks.ts";
import type { Synchronous } from "./thread-messages.ts";
import { vectorCopies } from "./vector-copies.ts";
import { type VectorHit, vectorSearch } from "./vector-search.ts";
import { vectorSegments } from "./vector-segments.ts";
import type { VectorWriter } from "./vector-writer.ts";

/**
 * Chunks that are looked at for each one wanted where the text of a query has phrases or exclusions. By words all are found
 * that there are; by meaning those among the nearest.
 */
const LOOKED_AT = 8;

interface MissingRow {
  key: number;
  name: string;
  title: string | null;
  headingPath: string;
  text: string;
}

/** Finding chunks by meaning: vectors of embedding models. */
export function vectorTable(
  database: DatabaseSync,
  writer: VectorWriter,
  residentCodeBytes?: number,
): Synchronous<VectorTable> {
  const segments = vectorSegments(database);
  const vectors = vectorSearch(segments, residentCodeBytes);
  const scopeOf = documentScope(database);
  const chunkOf = storedChunks(database);
  const constraintsOf = queryConstraints(database);
  const chunkCount = database.prepare("SELECT chunks FROM index_totals");
  const missing = database.prepare(
    `SELECT chunks.key, name, title, heading_path AS headingPath, text
     FROM chunks JOIN documents ON documents.key = document_key
     WHERE chunks.key > ?1 AND NOT EXISTS (
       SELECT 1 FROM vectors JOIN vector_models ON vector_models.key = model_key
       WHERE chunk_key = chunks.key AND model = ?2 AND dropped = 0)
     ORDER BY chunks.key LIMIT ?3`,
  );

  return {
    status() {
      const { chunks } = row<{ chunks: number }>(chunkCount)!;
      const models = segments.models().map((found) => {
        const { model, dimensions, candidates, recall } = found;
        const listed = segments.list(found.key);
        const live = listed.reduce((sum, segment) => sum + segment.vectors - segment.deleted, 0);
        const mode = vectors.kindFor(found, listed) === "bits" ? "bits" : "int8";
        return { model, dimensions, vectors: live, mode, candidates, recall } as const;
      });
      return { chunks, models };
    },
    missing: (model, after, limit) =>
      rows<MissingRow>(missing, after, model, limit).map(({ key, name, title, headingPath, text }) => ({
        key,
        text: [indexedTitle(title, name), ...(JSON.parse(headingPath) as string[]), text].join("\n"),
      })),
    add: (model, entries) => writer.add(model, entries),
    ...vectorCopies(database, writer),
    search(name, query, sources, limit, text) {
      const model = segments.model(name);
      if (!model) return [];
      if (query.length !== model.dimensions)
        throw new Error(`Vectors of ${name} have ${model.dimensions} dimensions, not ${query.length}.`);
      const constraints = constraintsOf(text === undefined ? plainQuery("") : parseQuery(text));
      const inSources = scopeOf(sources);
      const scope: DocumentScope = (key) => inSources(key) && constraints.documents(key);
      const hitsOf = (found: VectorHit[]) =>
        found
          .map(({ chunkKey, score }) => ({ chunk: chunkOf.byKey(chunkKey)!, score }))
          .filter(({ chunk }) => constraints.accepts(chunk));
      const wanted = constraints.looksAtText ? limit * LOOKED_AT : limit;
      return hitsOf(vectors.search(model, query, scope, wanted)).slice(0, limit);
    },
    dropModel: (model) => writer.dropModel(model),
    residentBytes: () => vectors.residentBytes,
  };
}
