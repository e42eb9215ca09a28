import {
  type AddResult,
  type Collection,
  CorralError,
  type CorralClient,
  type DocumentSummary,
  type ErrorReport,
} from "@corral/protocol";
import { basename } from "node:path";
import type { Output } from "./output.ts";
import { collectionNamed } from "./sources.ts";

/** What became of one file, as `corral docs add --json` prints it. */
export interface AddedDocument {
  file: string;
  outcome: AddResult["outcome"];
  id: string | null;
  state: DocumentSummary["state"] | null;
  /** Null for formats without pages. */
  pages: number | null;
  chunks: number | null;
  error?: ErrorReport;
}

/**
 * Adds files to a collection (made when missing) and waits until each can be searched, failed, or was cancelled.
 * When `signal` aborts, the files still being read are cancelled.
 */
export async function addDocuments(
  client: CorralClient,
  collectionName: string,
  paths: string[],
  output: Output,
  signal: AbortSignal,
): Promise<{ collection: string; documents: AddedDocument[] }> {
  const { collection, isNew } = await collectionFor(client, collectionName, signal);
  const latest = new Map<string, DocumentSummary | null>();
  // Watching starts before adding, so that no change is missed.
  const watching = new AbortController();
  const events = await client.library.watch(undefined, { signal: AbortSignal.any([signal, watching.signal]) });
  try {
    const results = await client.library.addPaths({ collectionId: collection.id, paths }, { signal });
    const ids = results.flatMap(({ document }) => (document ? [document.id] : []));
    for (const { document } of results) if (document) latest.set(document.id, document);
    if (ids.length === 0 && isNew) await client.library.removeCollection({ collectionId: collection.id }, { signal });
    if (results.length === 0) {
      throw new CorralError("FILE_NOT_FOUND", `There is no file Corral can read in ${paths.join(", ")}.`, {
        file: paths.join(", "),
      });
    }
    await settled(ids, latest, events, output);
    return { collection: collection.name, documents: results.map((result) => describeResult(result, latest)) };
  } catch (error) {
    if (signal.aborted) await cancelUnfinished(client, latest);
    throw error;
  } finally {
    watching.abort();
  }
}

/** The collection of this name, made when missing. */
export async function collectionFor(client: CorralClient, name: string, signal: AbortSignal) {
  const find = async () => collectionNamed(await client.library.collections(undefined, { signal }), name);
  const existing = await find();
  if (existing) return { collection: existing, isNew: false };
  try {
    return { collection: await client.library.createCollection({ name }, { signal }), isNew: true };
  } catch (error) {
    // Somebody else made it in between.
    const made: Collection | undefined = await find();
    if (made) return { collection: made, isNew: false };
    throw error;
  }
}

const inProgress = new Set<DocumentSummary["state"]>(["queued", "reading", "indexing"]);

function isUnfinished(document: DocumentSummary | null | undefined): boolean {
  return document != null && inProgress.has(document.state);
}

/** Follows the library until none of `ids` is being read any more. */
async function settled(
  ids: string[],
  latest: Map<string, DocumentSummary | null>,
  events: AsyncIterable<
    Awaited<ReturnType<CorralClient["library"]["watch"]>> extends AsyncIterable<infer E> ? E : never
  >,
  output: Output,
): Promise<void> {
  const wanted = new Set(ids);
  const left = new Set(ids.filter((id) => isUnfinished(latest.get(id))));
  const set = (id: string, document: DocumentSummary | null) => {
    if (!wanted.has(id)) return;
    latest.set(id, document);
    if (isUnfinished(document)) left.add(id);
    else left.delete(id);
  };
  if (left.size === 0) return;
  for await (const event of events) {
    // The snapshot may be older than the answer of addPaths: what it does not know yet is on its way.
    if (event.type === "snapshot") for (const document of event.documents) set(document.id, document);
    else if (event.type === "document") set(event.document.id, event.document);
    else if (event.type === "document-removed") set(event.documentId, null);
    else continue;
    if (left.size === 0) break;
    if (event.type === "document" && left.has(event.document.id) && event.document.state !== "queued")
      showProgress(event.document, wanted.size - left.size, wanted.size, output);
  }
  output.clearStatus();
}

function showProgress(document: DocumentSummary, done: number, total: number, output: Output): void {
  const percent = document.progress === null ? "" : ` ${Math.round(document.progress * 100)} %`;
  const line = `${document.state === "indexing" ? "Indexing" : "Reading"} ${document.name} …`;
  output.status(`${line}${percent}${total > 1 ? ` (${done} of ${total} done)` : ""}`, line);
}

function describeResult(result: AddResult, latest: Map<string, DocumentSummary | null>): AddedDocument {
  const document = result.document ? (latest.get(result.document.id) ?? result.document) : null;
  const error = result.error ?? document?.error ?? (document?.state === "cancelled" ? cancelled(document) : null);
  return {
    file: result.file,
    outcome: result.outcome,
    id: document?.id ?? null,
    state: document?.state ?? null,
    pages: document?.paged ? document.pageCount : null,
    chunks: document?.chunkCount ?? null,
    ...(error ? { error } : {}),
  };
}

function cancelled(document: DocumentSummary): ErrorReport {
  return { code: "CANCELLED", message: `Reading ${basename(document.name)} was cancelled.`, data: {} };
}

async function cancelUnfinished(client: CorralClient, latest: Map<string, DocumentSummary | null>): Promise<void> {
  const ids = [...latest].filter(([, document]) => isUnfinished(document)).map(([id]) => id);
  await Promise.allSettled(ids.map((documentId) => client.library.cancel({ documentId })));
}
