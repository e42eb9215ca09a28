import type { DocumentSummary } from "@corral/protocol";
import { expect, test } from "vitest";
import type { Adding } from "../../stores/library-store.ts";
import { filesInProgress, isSettled } from "./files-in-progress.ts";

const entry = (change: Partial<Adding>): Adding => ({
  id: "a1",
  collectionId: "c1",
  name: "lease.pdf",
  bytes: 100,
  sentBytes: 0,
  state: "waiting",
  documentId: null,
  error: null,
  ...change,
});
const document = (change: Partial<DocumentSummary>) =>
  ({
    id: "d1",
    collectionId: "c1",
    name: "lease.pdf",
    state: "reading",
    progress: 0.4,
    error: null,
    ...change,
  }) as DocumentSummary;
const sources = { collectionIds: ["c1"], documentIds: ["d9"] };

test("an upload shows its own share until the document takes over", () => {
  expect(filesInProgress(sources, [entry({ state: "sending", sentBytes: 25 })], [])).toMatchObject([
    { stage: "sending", fraction: 0.25 },
  ]);
  const added = entry({ state: "added", documentId: "d1" });
  expect(filesInProgress(sources, [added], [])).toMatchObject([{ stage: "queued" }]);
  expect(filesInProgress(sources, [added], [document({})])).toMatchObject([
    { addingId: "a1", documentId: "d1", stage: "reading", fraction: 0.4 },
  ]);
});

test("documents another page added are shown while they are read, and not when they are done", () => {
  const others = [
    document({ id: "d2", state: "indexing" }),
    document({ id: "d3", state: "ready" }),
    document({ id: "d4", state: "failed" }),
    document({ id: "d5", collectionId: "elsewhere" }),
    document({ id: "d9", collectionId: "elsewhere", state: "queued" }),
  ];
  expect(filesInProgress(sources, [], others).map(({ documentId }) => documentId)).toEqual(["d2", "d9"]);
});

test("files of other collections are not this conversation's business", () => {
  expect(filesInProgress(sources, [entry({ collectionId: "c2" })], [])).toEqual([]);
});

test("a refused file counts as failed and as settled", () => {
  const [file] = filesInProgress(sources, [entry({ state: "refused" })], []);
  expect(file).toMatchObject({ stage: "failed" });
  expect(file && isSettled(file)).toBe(true);
});
