import type { DocumentSummary } from "@corral/protocol";
import type { Adding } from "../../stores/library-store.ts";

/** One line of the list: a document, or a file that is not (yet) one. */
export type Entry =
  { kind: "document"; id: string; document: DocumentSummary } | { kind: "adding"; id: string; adding: Adding };

/**
 * The lines of a collection, newest first, files on their way above; only names that hold `filter` (any case).
 * A file that became a document is shown as that alone.
 */
export function entriesOf(
  documents: readonly DocumentSummary[],
  adding: readonly Adding[],
  collectionId: string,
  filter: string,
): Entry[] {
  const wanted = filter.trim().toLowerCase();
  const matches = (name: string) => wanted === "" || name.toLowerCase().includes(wanted);
  const entries: Entry[] = [];
  for (let at = adding.length - 1; at >= 0; at--) {
    const one = adding[at]!;
    if (one.collectionId === collectionId && one.state !== "added" && matches(one.name)) {
      entries.push({ kind: "adding", id: one.id, adding: one });
    }
  }
  for (let at = documents.length - 1; at >= 0; at--) {
    const one = documents[at]!;
    if (one.collectionId === collectionId && matches(one.name)) {
      entries.push({ kind: "document", id: one.id, document: one });
    }
  }
  return entries;
}

/** How many of a collection's documents are in each kind of state. */
export interface Tally {
  ready: number;
  /** Queued, being read or indexed, or being sent. */
  underWay: number;
  failed: number;
}

export function tallyOf(entries: readonly Entry[]): Tally {
  const tally: Tally = { ready: 0, underWay: 0, failed: 0 };
  for (const entry of entries) {
    const state = entry.kind === "document" ? entry.document.state : entry.adding.state;
    if (state === "ready") tally.ready++;
    else if (state === "failed" || state === "refused") tally.failed++;
    else if (state !== "cancelled" && state !== "unchanged") tally.underWay++;
  }
  return tally;
}
