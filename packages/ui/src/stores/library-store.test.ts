import type { AddResult, Collection, DocumentSummary } from "@corral/protocol";
import { afterEach, expect, test, vi } from "vitest";
import type { Connection, FileTransfer } from "../connection/connection.ts";
import { ReportedError } from "../connection/error-report.ts";
import { createLibraryStore } from "./library-store.ts";
import { FakeHost } from "./testing/fake-host.ts";

const open: Connection[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

const collection: Collection = {
  id: "c1",
  name: "Contracts",
  documentCount: 1,
  chunkCount: 0,
  createdAt: "2026-01-01",
};
const document: DocumentSummary = {
  id: "d1",
  collectionId: "c1",
  name: "lease.pdf",
  title: null,
  format: "pdf",
  bytes: 10,
  state: "reading",
  progress: 0.5,
  error: null,
  pageCount: null,
  paged: true,
  chunkCount: null,
  language: null,
  addedAt: "2026-01-01",
};

async function start(files?: FileTransfer) {
  const host = new FakeHost();
  host.collections.push(collection);
  const connection = host.connect(files);
  open.push(connection);
  const library = createLibraryStore(connection);
  await vi.waitFor(() => expect(library.getState().loaded).toBe(true));
  return { host, connection, library };
}

/** An upload whose outcome the test decides. */
function uploads() {
  const sent: { name: string; signal: AbortSignal; progress: (bytes: number) => void }[] = [];
  const settle: { resolve: (result: AddResult) => void; reject: (error: unknown) => void }[] = [];
  const transfer: FileTransfer = {
    kind: "upload",
    send: (_collection, file, { signal, onProgress }) => {
      sent.push({ name: file.name, signal, progress: onProgress });
      return new Promise((resolve, reject) => {
        settle.push({ resolve, reject });
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    },
  };
  return { transfer, sent, settle };
}

test("shows what the host has and each change of it, again after a lost link", async () => {
  const { host, connection, library } = await start();
  expect(library.getState().collections).toEqual([collection]);
  host.libraryChanged({ type: "document", document });
  await vi.waitFor(() => expect(library.getState().documents).toEqual([document]));
  host.libraryChanged({ type: "document", document: { ...document, state: "ready" } });
  await vi.waitFor(() => expect(library.getState().documents.map(({ state }) => state)).toEqual(["ready"]));

  host.cut();
  host.collections.push({ ...collection, id: "c2", name: "Reports" });
  await vi.waitFor(() => expect(connection.state().kind).toBe("ready"));
  await vi.waitFor(() => expect(library.getState().collections).toHaveLength(2));

  library.getState().openCollection("c1");
  host.libraryChanged({ type: "collection-removed", collectionId: "c1" });
  await vi.waitFor(() => expect(library.getState().openCollectionId).toBeNull());
});

test("uploads two files at a time, tells how far each is, and hands over to the document", async () => {
  const { transfer, sent, settle } = uploads();
  const { library } = await start(transfer);
  const files = ["a", "b", "c"].map((name) => new File(["0123456789"], `${name}.pdf`));
  const ids = library.getState().addFiles("c1", files);
  const states = () => library.getState().adding.map(({ state }) => state);
  expect(states()).toEqual(["sending", "sending", "waiting"]);
  sent[0]?.progress(4);
  expect(library.getState().adding[0]).toMatchObject({ id: ids[0], sentBytes: 4, bytes: 10 });
  settle[0]?.resolve({ file: "a.pdf", outcome: "added", document, error: null });
  await vi.waitFor(() => expect(states()).toEqual(["added", "sending", "sending"]));
  expect(library.getState().adding[0]?.documentId).toBe("d1");
  // There before the host's own event, so that nothing flickers.
  expect(library.getState().documents).toEqual([document]);
});

test("a refused file says why; a failed upload can be tried again", async () => {
  const { transfer, settle } = uploads();
  const { library } = await start(transfer);
  library.getState().addFiles("c1", [new File([""], "empty.pdf"), new File(["x"], "b.pdf")]);
  const error = { code: "EMPTY_FILE" as const, message: "empty.pdf is empty.", data: { file: "empty.pdf" } };
  settle[0]?.resolve({ file: "empty.pdf", outcome: "refused", document: null, error });
  settle[1]?.reject(new ReportedError({ code: "DISK_FULL", message: "The disk is full.", data: {} }));
  await vi.waitFor(() =>
    expect(library.getState().adding).toMatchObject([
      { state: "refused", error },
      { state: "failed", error: { code: "DISK_FULL" } },
    ]),
  );
  library.getState().retryAdding(library.getState().adding[1]?.id ?? "");
  await vi.waitFor(() => expect(settle).toHaveLength(3));
  settle[2]?.resolve({ file: "b.pdf", outcome: "unchanged", document, error: null });
  await vi.waitFor(() => expect(library.getState().adding[1]).toMatchObject({ state: "unchanged", error: null }));
});

test("cancelling stops the upload and lets the next one start", async () => {
  const { transfer, sent } = uploads();
  const { library } = await start(transfer);
  const [first] = library.getState().addFiles(
    "c1",
    ["a", "b", "c"].map((name) => new File(["x"], name)),
  );
  library.getState().cancelAdding(first ?? "");
  expect(sent[0]?.signal.aborted).toBe(true);
  await vi.waitFor(() => expect(sent.map(({ name }) => name)).toEqual(["a", "b", "c"]));
  expect(library.getState().adding.map(({ name }) => name)).toEqual(["b", "c"]);
});

test("in the desktop app files are named by path, and what is no file on disk says so", async () => {
  const { host, library } = await start({
    kind: "paths",
    pathOf: ({ name }) => (name === "dragged.png" ? "" : `/home/${name}`),
    pick: () => Promise.resolve(["/home/picked.pdf"]),
    pickFolder: () => Promise.resolve(null),
  });
  library.getState().addFiles("c1", [new File(["x"], "lease.pdf"), new File(["x"], "dragged.png")]);
  await vi.waitFor(() =>
    expect(library.getState().adding).toMatchObject([
      { state: "unchanged" },
      { state: "failed", error: { code: "FILE_NOT_FOUND" } },
    ]),
  );
  await library.getState().pickFiles("c1");
  await vi.waitFor(() =>
    expect(library.getState().adding.at(-1)).toMatchObject({ name: "picked.pdf", state: "unchanged" }),
  );
  expect(host.calls.filter((call) => call === "library.addPaths")).toHaveLength(2);
});

test("an action the host refuses is said in its words", async () => {
  const { host, library } = await start();
  host.failures.set("library.addPaths", {
    code: "COLLECTION_NOT_FOUND",
    message: "It is gone.",
    data: { collection: "c" },
  });
  library.getState().addFiles("c", [new File(["x"], "lease.pdf")]);
  await vi.waitFor(() =>
    expect(library.getState().adding).toMatchObject([{ state: "failed", error: { message: "It is gone." } }]),
  );
});
