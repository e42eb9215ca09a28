import type { DocumentSummary } from "@corral/protocol";
import { expect, test } from "vitest";
import type { Adding } from "../../stores/library-store.ts";
import { entriesOf, tallyOf } from "./document-entries.ts";

function document(id: string, state: DocumentSummary["state"], collectionId = "c"): DocumentSummary {
  return {
    id,
    collectionId,
    name: `${id}.pdf`,
    title: null,
    format: "pdf",
    bytes: 1,
    state,
    progress: null,
    error: null,
    pageCount: null,
    paged: true,
    chunkCount: null,
    language: null,
    addedAt: "",
  };
}
function adding(id: string, state: Adding["state"], collectionId = "c"): Adding {
  return { id, collectionId, name: `${id}.pdf`, bytes: 1, sentBytes: 0, state, documentId: null, error: null };
}

const documents = [document("old", "ready"), document("new", "failed"), document("other", "ready", "d")];
const files = [
  adding("first", "sending"),
  adding("second", "refused"),
  adding("done", "added"),
  adding("far", "sending", "d"),
];

test("newest first, files on their way above, other collections and what became a document left out", () => {
  expect(entriesOf(documents, files, "c", "").map(({ id }) => id)).toEqual(["second", "first", "new", "old"]);
});

test("the filter looks at names, without case", () => {
  expect(entriesOf(documents, files, "c", " NEW ").map(({ id }) => id)).toEqual(["new"]);
  expect(entriesOf(documents, files, "c", "nothing")).toEqual([]);
});

test("the tally counts what is ready, under way and failed", () => {
  const more = [document("a", "queued"), document("b", "cancelled"), document("e", "indexing")];
  expect(tallyOf(entriesOf([...documents, ...more], [...files, adding("same", "unchanged")], "c", ""))).toEqual({
    ready: 1,
    underWay: 3,
    failed: 2,
  });
});
