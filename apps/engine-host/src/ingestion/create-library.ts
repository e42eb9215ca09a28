import { basename } from "node:path";
import { type AddResult, CorralError, type DocumentSummary, type LibraryEvent } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { CalmPublishing } from "./calm-publishing.ts";
import { DocumentPictures } from "./document-pictures.ts";
import { findFiles } from "./find-files.ts";
import { largestFile, supportedFileTypes } from "./file-types.ts";
import { hashFile, inspectFile, requireFormat } from "./inspect-file.ts";
import type { Library } from "./library.ts";
import { LibraryFeed } from "./library-feed.ts";
import { OwnedFiles } from "./owned-files.ts";
import { boxesOf } from "./page-view.ts";
import { ReadingQueue, type ReadingQueueOptions } from "./reading-queue.ts";
import { takeTurns } from "./turns.ts";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

export interface LibraryOptions {
  store: Store;
  /** Uploads are kept in `files/` below it. */
  dataDirectory: string;
  workers?: WorkerPoolOptions;
  limits?: NonNullable<ReadingQueueOptions["limits"]>;
  timeoutFor?: NonNullable<ReadingQueueOptions["timeoutFor"]>;
  /** Free bytes on the disk of the data directory; only tests replace it. */
  freeBytes?: () => Promise<number>;
  /** For the host's log: which document failed, and why. Gets no text of documents. */
  log?: (event: string, fields: { document: string; details?: string }, error: unknown) => void;
}

/** Opens the library: cleans up after interrupted uploads and goes on reading what was left unfinished. */
export async function createLibrary(options: LibraryOptions): Promise<Library> {
  const { store, dataDirectory, log = () => {} } = options;
  const files = new OwnedFiles(dataDirectory, options.freeBytes);
  const workers = new WorkerPool(options.workers);
  const feed = new LibraryFeed();
  const pictures = new DocumentPictures(store, workers);
  /** Documents are added and removed one after the other, so that none is added twice and no file removed in between. */
  const inTurn = takeTurns();

  const queue = new ReadingQueue({
    store,
    workers,
    ...(options.limits && { limits: options.limits }),
    ...(options.timeoutFor && { timeoutFor: options.timeoutFor }),
    onChange: (document) => feed.publish({ type: "document", document }),
    onReady: async (document) => {
      await removeOlderVersions(document);
      await publishCollection(document.collectionId);
    },
    onFailure: (document, error, details) => log("document failed", { document, details }, error),
  });

  const publishing = new CalmPublishing(async (id) => {
    const collection = await store.collections.get(id);
    if (collection) feed.publish({ type: "collection", collection });
  }, log);
  const publishCollection = (id: string) => publishing.publish(id);

  async function requireCollection(id: string): Promise<void> {
    if (await store.collections.get(id)) return;
    const message = "That collection does not exist (any more); choose another one.";
    throw new CorralError("COLLECTION_NOT_FOUND", message, { collection: id });
  }

  async function requireDocument(id: string): Promise<DocumentSummary> {
    const document = await store.documents.get(id);
    if (document) return document;
    const message = "That document is not in the library (any more).";
    throw new CorralError("DOCUMENT_NOT_FOUND", message, { document: id });
  }

  /** A file that was added again after it changed: its old text goes once the new text can be found. */
  async function removeOlderVersions(document: DocumentSummary): Promise<void> {
    const file = await store.documents.file(document.id);
    if (!file || file.owned) return;
    const versions = await store.documents.findByPath(document.collectionId, file.path);
    const place = versions.findIndex((version) => version.id === document.id);
    for (const older of versions.slice(0, Math.max(0, place))) await remove(older.id);
  }

  async function remove(id: string): Promise<void> {
    await queue.stop(id, "removed");
    await inTurn(async () => {
      const unused = await store.documents.remove(id);
      if (unused?.owned) await files.remove(unused.path);
    });
    feed.publish({ type: "document-removed", documentId: id });
  }

  /** The outcome for content that is in the collection already; what failed or was cancelled is read again. */
  async function alreadyThere(file: string, found: DocumentSummary): Promise<AddResult> {
    const again = found.state === "failed" || found.state === "cancelled";
    const document = again ? await requeue(found.id) : queue.withProgress(found);
    return { file, outcome: again ? "added" : "unchanged", document, error: null };
  }

  async function requeue(id: string): Promise<DocumentSummary> {
    const document = await store.documents.setState(id, "queued");
    feed.publish({ type: "document", document });
    queue.add(id);
    return document;
  }

  async function addPath(collectionId: string, path: string): Promise<AddResult> {
    const name = basename(path);
    const { format, bytes } = await inspectFile(path);
    const sha256 = await hashFile(path);
    return inTurn(async () => {
      const found = await store.documents.findByHash(collectionId, sha256);
      if (found) return alreadyThere(path, found);
      const file = { path, owned: false, sha256, bytes };
      return added(path, await store.documents.create({ collectionId, name, format, file }));
    });
  }

  async function added(file: string, document: DocumentSummary): Promise<AddResult> {
    feed.publish({ type: "document", document });
    await publishCollection(document.collectionId);
    queue.add(document.id);
    return { file, outcome: "added", document, error: null };
  }

  function refused(file: string, error: unknown): AddResult {
    if (!(error instanceof CorralError)) log("adding a file failed", { document: "" }, error);
    return { file, outcome: "refused", document: null, error: CorralError.reportOf(error) };
  }

  async function snapshot(): Promise<LibraryEvent> {
    const [collections, documents] = await Promise.all([store.collections.list(), store.documents.list()]);
    return { type: "snapshot", collections, documents: documents.map((document) => queue.withProgress(document)) };
  }

  /** Removes copies whose document was never stored, or whose removal was interrupted. */
  async function removeOrphans(): Promise<void> {
    const used = new Set((await store.documents.ownedFiles()).map(({ file }) => file.path));
    for (const path of await files.list()) if (!used.has(path)) await files.remove(path);
  }

  await files.open();
  await removeOrphans();
  await queue.resume();

  return {
    supportedFileTypes,
    uploadLimitBytes: largestFile,
    collections: () => store.collections.list(),

    async createCollection(name) {
      const collection = await store.collections.create(name);
      feed.publish({ type: "collection", collection });
      return collection;
    },

    async renameCollection(id, name) {
      const collection = await store.collections.rename(id, name);
      feed.publish({ type: "collection", collection });
      return collection;
    },

    async removeCollection(id) {
      const documents = await store.documents.list(id);
      for (const document of documents) await queue.stop(document.id, "removed");
      await inTurn(async () => {
        await store.collections.remove(id);
        await removeOrphans();
      });
      for (const { id: documentId } of documents) feed.publish({ type: "document-removed", documentId });
      feed.publish({ type: "collection-removed", collectionId: id });
    },

    async documents(collectionId) {
      return (await store.documents.list(collectionId)).map((document) => queue.withProgress(document));
    },

    async addPaths(collectionId, paths) {
      await requireCollection(collectionId);
      const results: AddResult[] = [];
      for (const given of paths) {
        for await (const { path, error } of findFiles(given)) {
          const outcome = error ? Promise.reject(error) : addPath(collectionId, path);
          results.push(await outcome.catch((thrown: unknown) => refused(path, thrown)));
        }
      }
      return results;
    },

    async addUpload(collectionId, givenName, content, signal) {
      await requireCollection(collectionId);
      const name = safeName(givenName);
      try {
        const format = requireFormat(name);
        const received = await files.receive(name, content, signal);
        return await inTurn(async () => {
          const found = await store.documents.findByHash(collectionId, received.sha256);
          if (found) {
            await files.discard(received);
            return alreadyThere(name, found);
          }
          const file = await files.keep(received, format);
          return added(name, await store.documents.create({ collectionId, name, format, file }));
        });
      } catch (error) {
        if (error instanceof CorralError && error.code === "CANCELLED") throw error;
        return refused(name, error);
      }
    },

    async cancel(id) {
      const document = await requireDocument(id);
      const waiting = document.state === "queued";
      await queue.stop(id, "cancelled");
      const now = await requireDocument(id);
      if (!waiting || now.state !== "queued") return now;
      const cancelled = await store.documents.setState(id, "cancelled");
      feed.publish({ type: "document", document: cancelled });
      return cancelled;
    },

    async retry(id) {
      const document = await requireDocument(id);
      const idle = document.state === "failed" || document.state === "cancelled";
      return idle ? requeue(id) : queue.withProgress(document);
    },

    async removeDocument(id) {
      const { collectionId } = await requireDocument(id);
      await remove(id);
      await publishCollection(collectionId);
    },

    watch: (signal) => feed.watch(snapshot, signal),

    async page(id, page, highlight) {
      const document = await requireDocument(id);
      const content = await store.pages.get(id, page);
      if (!content) throw pictures.noSuchPage(document, page);
      const { text, width, height } = content;
      return { documentId: id, page, text, width, height, boxes: boxesOf(content, highlight) };
    },

    async pageImage(id, page, scale, signal) {
      return pictures.draw(await requireDocument(id), page, scale, signal);
    },

    async [Symbol.asyncDispose]() {
      feed.close();
      publishing[Symbol.dispose]();
      await queue[Symbol.asyncDispose]();
      await workers[Symbol.asyncDispose]();
    },
  };
}

/** The last part of a name that a browser sent, without characters that no file name should hold. */
function safeName(given: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? "";

  const clean = last.replace(/[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").trim();
  return clean.slice(-200) || "unnamed";
}
