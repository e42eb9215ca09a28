import type { DocumentSummary, ErrorReport, Sources } from "@corral/protocol";
import type { Adding } from "../../stores/library-store.ts";

/** A file on its way to being searchable in this conversation. */
export interface FileInProgress {
  /** The entry of `adding` it comes from; null for a document the host was reading before this page opened. */
  readonly addingId: string | null;
  readonly documentId: string | null;
  readonly name: string;
  /** "sending" carries the upload's share in `fraction`, "reading" and "indexing" the host's. */
  readonly stage:
    "waiting" | "sending" | "queued" | "reading" | "indexing" | "ready" | "unchanged" | "cancelled" | "failed";
  /** 0..1; null when unknown. */
  readonly fraction: number | null;
  readonly error: ErrorReport | null;
}

/** Brings the files being added and what the host says of their documents together, for the sources of one conversation. */
export function filesInProgress(
  sources: Sources,
  adding: readonly Adding[],
  documents: readonly DocumentSummary[],
): FileInProgress[] {
  const added = adding
    .filter(({ collectionId }) => sources.collectionIds.includes(collectionId))
    .map((entry) =>
      fromAdding(
        entry,
        documents.find(({ id }) => id === entry.documentId),
      ),
    );
  const known = new Set(added.map(({ documentId }) => documentId));
  const others = documents
    .filter(({ id, collectionId }) => sources.collectionIds.includes(collectionId) || sources.documentIds.includes(id))
    .filter(({ id, state }) => !known.has(id) && (state === "queued" || state === "reading" || state === "indexing"))
    .map((document) => fromDocument(document, null));
  return [...added, ...others];
}

function fromAdding(entry: Adding, document: DocumentSummary | undefined): FileInProgress {
  const { id, name, state, bytes, sentBytes, error } = entry;
  if (state === "added" && document) return fromDocument(document, id);
  const stage = state === "added" ? "queued" : state === "refused" ? "failed" : state;
  const fraction = state === "sending" && bytes > 0 && sentBytes > 0 ? Math.min(1, sentBytes / bytes) : null;
  return { addingId: id, documentId: entry.documentId, name, stage, fraction, error };
}

function fromDocument(document: DocumentSummary, addingId: string | null): FileInProgress {
  const { id, name, state, progress, error } = document;
  return { addingId, documentId: id, name, stage: state, fraction: progress, error };
}

/** Whether nothing more will happen by itself. */
export function isSettled({ stage }: FileInProgress): boolean {
  return stage === "ready" || stage === "unchanged" || stage === "cancelled" || stage === "failed";
}
