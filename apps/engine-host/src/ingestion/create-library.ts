import { type AddResult, CorralError, type LibraryEvent } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { CalmPublishing } from "./calm-publishing.ts";
import { DocumentPictures } from "./document-pictures.ts";
import { Documents } from "./documents.ts";
import { exportCollection } from "./export-collection.ts";
import { largestFile, supportedFileTypes } from "./file-types.ts";
import { findFiles } from "./find-files.ts";
import type { FollowTimes } from "./follow-folder.ts";
import { FollowedFolders } from "./followed-folders.ts";
import { importCollection } from "./import-collection.ts";
import type { Library } from "./library.ts";
import { LibraryFeed } from "./library-feed.ts";
import { OcrLanguages } from "./ocr-languages.ts";
import { OwnedFiles } from "./owned-files.ts";
import { boxesOf } from "./page-view.ts";
import { ReadingQueue, type ReadingQueueOptions } from "./reading-queue.ts";
import { safeName } from "./safe-name.ts";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

/** Files of a folder that are looked up in the store at once. */
const lookedUpTogether = 200;

export interface LibraryOptions {
  store: Store;
  /** Uploads are kept in `files/` below it. */
  dataDirectory: string;
  /** Folder of the text recognition data that ships with Corral; null or absent: none. */
  bundledOcrData?: string | null;
  workers?: WorkerPoolOptions;
  /** Only tests have less patience. */
  followTimes?: Partial<FollowTimes>;
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
  const languages = new OcrLanguages(dataDirectory, options.bundledOcrData ?? null);
  const feed = new LibraryFeed();
  const pictures = new DocumentPictures(store, workers);

  const queue = new ReadingQueue({
    ...{ store, workers },
    recognition: () => languages.recognition(workers.readers),
    ...(options.limits && { limits: options.limits }),
    ...(options.timeoutFor && { timeoutFor: options.timeoutFor }),
    onChange: (document) => feed.publish({ type: "document", document }),
    onReady: async (document) => {
      await documents.removeOlderVersions(document);
      await publishCollection(document.collectionId);
    },
    onFailure: (document, error, details) => log("document failed", { document, details }, error),
  });

  const publishing = new CalmPublishing(async (id) => {
    const collection = await store.collections.get(id);
    if (collection) feed.publish({ type: "collection", collection });
  }, log);
  const publishCollection = (id: string) => publishing.publish(id);

  const documents = new Documents({
    ...{ store, files, queue },
    onChange: (document) => feed.publish({ type: "document", document }),
    onRemoved: (documentId) => feed.publish({ type: "document-removed", documentId }),
    onCount: publishCollection,
    onFailure: (error) => log("adding a file failed", { document: "" }, error),
  });

  const folders = new FollowedFolders({
    ...{ store, documents, dataDirectory },
    ...(options.followTimes && { times: options.followTimes }),
    onChange: (folder) => feed.publish({ type: "folder", folder }),
    onRemoved: (folderId) => feed.publish({ type: "folder-removed", folderId }),
    onFailure: (error) => log("following a folder failed", { document: "" }, error),
  });

  async function requireCollection(id: string): Promise<void> {
    if (await store.collections.get(id)) return;
    const message = "That collection does not exist (any more); choose another one.";
    throw new CorralError("COLLECTION_NOT_FOUND", message, { collection: id });
  }

  async function snapshot(): Promise<LibraryEvent> {
    const [collections, all, followed] = await Promise.all([
      store.collections.list(),
      store.documents.list(),
      folders.list(),
    ]);
    const withProgress = all.map((document) => queue.withProgress(document));
    return { type: "snapshot", collections, documents: withProgress, folders: followed };
  }

  /** Removes copies whose document was never stored, or whose removal was interrupted. */
  async function removeOrphans(): Promise<void> {
    const used = new Set((await store.documents.ownedFiles()).map(({ file }) => file.path));
    for (const path of await files.list()) if (!used.has(path)) await files.remove(path);
  }

  await files.open();
  await languages.open();
  await removeOrphans();
  await queue.resume();
  await folders.resume();

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
      await folders.stopOf(id);
      const removed = await store.documents.list(id);
      for (const document of removed) await queue.stop(document.id, "removed");
      await documents.alone(async () => {
        await store.collections.remove(id);
        await removeOrphans();
      });
      for (const { id: documentId } of removed) feed.publish({ type: "document-removed", documentId });
      feed.publish({ type: "collection-removed", collectionId: id });
    },

    async *exportCollection(id, path, options, signal) {
      await requireCollection(id);
      yield* exportCollection(store, (await store.collections.get(id))!, path, options, signal);
    },

    async *importCollection(path, name, signal) {
      const alone = <Result>(task: () => Promise<Result>) => documents.alone(task);
      for await (const event of importCollection(path, { store, files, alone, name }, signal)) {
        if (event.type === "done") {
          feed.publish({ type: "collection", collection: event.collection });
          for (const document of await store.documents.list(event.collection.id)) documents.changed(document);
        }
        yield event;
      }
    },

    async storage(id) {
      await requireCollection(id);
      return store.collections.storage(id);
    },

    async documents(collectionId) {
      return (await store.documents.list(collectionId)).map((document) => queue.withProgress(document));
    },

    async addPaths(collectionId, paths) {
      await requireCollection(collectionId);
      const results: AddResult[] = [];
      for (const given of paths) {
        const found: string[] = [];
        const addFound = async () => results.push(...(await documents.addPaths(collectionId, found.splice(0))));
        for await (const { path, error } of findFiles(given)) {
          if (error) results.push({ file: path, outcome: "refused", document: null, error: error.report() });
          else if (found.push(path) >= lookedUpTogether) await addFound();
        }
        await addFound();
      }
      return results;
    },

    async addUpload(collectionId, name, content, signal) {
      await requireCollection(collectionId);
      return documents.addUpload(collectionId, safeName(name), content, signal);
    },

    folders: () => folders.list(),

    async followFolder(collectionId, path) {
      await requireCollection(collectionId);
      return folders.add(collectionId, path);
    },

    unfollowFolder: (id, removeDocuments) => folders.remove(id, removeDocuments),

    cancel: (id) => documents.cancel(id),

    async retry(id) {
      const document = await documents.require(id);
      const isIdle = ["failed", "cancelled", "ready"].includes(document.state);
      return isIdle ? documents.requeue(document) : queue.withProgress(document);
    },

    async removeDocument(id) {
      const { collectionId } = await documents.require(id);
      await documents.remove(id);
      await publishCollection(collectionId);
    },

    watch: (signal) => feed.watch(snapshot, signal),

    async page(id, page, highlight) {
      const document = await documents.require(id);
      const content = await store.pages.get(id, page);
      if (!content) throw pictures.noSuchPage(document, page);
      const { text, width, height, lines, label = null, tableRows = [] } = content;
      const boxes = boxesOf(content, highlight);
      return { documentId: id, page, text, width, height, boxes, label, lines, tableRows };
    },

    async pageImage(id, page, scale, signal) {
      return pictures.draw(await documents.require(id), page, scale, signal);
    },

    async recognition() {
      return { directory: languages.directory, languages: await languages.list() };
    },

    async [Symbol.asyncDispose]() {
      feed.close();
      publishing[Symbol.dispose]();
      await folders[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
      await workers[Symbol.asyncDispose]();
    },
  };
}
