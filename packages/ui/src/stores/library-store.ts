import type {
  AddResult,
  Collection,
  CollectionStorage,
  DocumentSummary,
  ErrorReport,
  FollowedFolder,
  LibraryEvent,
} from "@corral/protocol";
import type { SearchResult as FoundPassages, Sources } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";
import { AddQueue } from "./add-queue.ts";

/** A file on its way into a collection. */
export interface Adding {
  readonly id: string;
  readonly collectionId: string;
  readonly name: string;
  readonly bytes: number;
  /** Of `bytes`. Stays 0 for files read in place. */
  readonly sentBytes: number;
  /**
   * waiting: for its turn. sending: under way. added, unchanged (the collection has this content already): `documentId`
   * is known and the document's own state takes over. refused, failed: see `error`; failed can be retried.
   */
  readonly state: "waiting" | "sending" | "added" | "unchanged" | "refused" | "failed";
  readonly documentId: string | null;
  readonly error: ErrorReport | null;
}

/** `tookMs` on the host, ms. */
export interface SearchResult extends FoundPassages {
  readonly tookMs: number;
  readonly error: ErrorReport | null;
}

export interface LibraryState {
  readonly collections: readonly Collection[];
  /** Of all collections, oldest first. */
  readonly documents: readonly DocumentSummary[];
  /** Followed by any collection, oldest first. */
  readonly folders: readonly FollowedFolder[];
  readonly loaded: boolean;
  /** The collection whose documents the library screen lists. */
  readonly openCollectionId: string | null;
  /** Files being added, and those that could not be; oldest first. */
  readonly adding: readonly Adding[];
  /** What went wrong with the last action on a collection or document. */
  readonly error: ErrorReport | null;
  openCollection(collectionId: string | null): void;
  /** @returns null when it failed; see `error` */
  createCollection(name: string): Promise<Collection | null>;
  /** @returns whether it worked */
  renameCollection(collectionId: string, name: string): Promise<boolean>;
  removeCollection(collectionId: string): Promise<boolean>;
  /** Adds dropped or picked files; each becomes an entry of `adding`. @returns the ids of the entries */
  addFiles(collectionId: string, files: readonly File[]): string[];
  /** Shows the system's open dialog (desktop only) and adds what was picked. @returns the ids of the entries */
  pickFiles(collectionId: string): Promise<string[]>;
  /** Follows a folder on the host's disk. @returns what went wrong, null when nothing did */
  followFolder(collectionId: string, path: string): Promise<ErrorReport | null>;
  unfollowFolder(folderId: string, removeDocuments: boolean): Promise<boolean>;
  /** Shows the system's dialog for a folder (desktop only). @returns null when cancelled */
  pickFolder(): Promise<string | null>;
  /** What a collection takes up on the host. @returns null when it cannot be told */
  storage(collectionId: string, signal: AbortSignal): Promise<CollectionStorage | null>;
  /** Stops an upload and forgets the entry. */
  cancelAdding(addingId: string): void;
  retryAdding(addingId: string): void;
  /** Forgets an entry; its document, if any, stays. */
  dismissAdding(addingId: string): void;
  /** Stops reading a document. */
  cancelDocument(documentId: string): Promise<void>;
  retryDocument(documentId: string): Promise<void>;
  removeDocument(documentId: string): Promise<void>;
  /** Passages that match, best first. @returns null when `signal` aborted first */
  search(query: string, sources: Sources, limit: number, signal: AbortSignal): Promise<SearchResult | null>;
  dismissError(): void;
}

/** Collections and documents, kept up to date by the host, and the files on their way there. */
export function createLibraryStore(connection: Connection): StoreApi<LibraryState> {
  const { library } = connection.client;

  const store = createStore<LibraryState>()((set) => ({
    collections: [],
    documents: [],
    folders: [],
    loaded: false,
    openCollectionId: null,
    adding: [],
    error: null,
    openCollection: (openCollectionId) => set({ openCollectionId }),
    createCollection: async (name) => {
      let created: Collection | null = null;
      await report(async () => {
        created = await library.createCollection({ name });
        apply({ type: "collection", collection: created });
      });
      return created;
    },
    renameCollection: (collectionId, name) => report(() => library.renameCollection({ collectionId, name })),
    removeCollection: (collectionId) => report(() => library.removeCollection({ collectionId })),
    addFiles: (collectionId, files) => queue.add(collectionId, files),
    pickFiles: async (collectionId) => {
      if (connection.files.kind !== "paths") return [];
      const paths = await connection.files.pick();
      return paths.length > 0 ? queue.addPaths(collectionId, paths) : [];
    },
    followFolder: async (collectionId, path) => {
      try {
        apply({ type: "folder", folder: await library.watchFolder({ collectionId, path }) });
        return null;
      } catch (error) {
        return reportOf(error);
      }
    },
    unfollowFolder: (folderId, removeDocuments) => report(() => library.unwatchFolder({ folderId, removeDocuments })),
    pickFolder: async () => (connection.files.kind === "paths" ? connection.files.pickFolder() : null),
    storage: (collectionId, signal) => library.storage({ collectionId }, { signal }).catch(() => null),
    cancelAdding: (addingId) => queue.cancel(addingId),
    retryAdding: (addingId) => queue.retry(addingId),
    dismissAdding: (addingId) => queue.cancel(addingId),
    cancelDocument: async (documentId) => void (await report(() => library.cancel({ documentId }))),
    retryDocument: async (documentId) => void (await report(() => library.retry({ documentId }))),
    removeDocument: async (documentId) => void (await report(() => library.removeDocument({ documentId }))),
    search: async (query, sources, limit, signal) => {
      try {
        return { ...(await library.search({ query, sources, limit }, { signal })), error: null };
      } catch (error) {
        return signal.aborted ? null : { hits: [], legs: [], notes: [], tookMs: 0, error: reportOf(error) };
      }
    },
    dismissError: () => set({ error: null }),
  }));

  const queue = new AddQueue(connection, {
    put: (entry) =>
      store.setState(({ adding }) => ({
        adding: adding.some(({ id }) => id === entry.id)
          ? adding.map((other) => (other.id === entry.id ? entry : other))
          : [...adding, entry],
      })),
    remove: (id) => store.setState(({ adding }) => ({ adding: adding.filter((entry) => entry.id !== id) })),
    arrived: (result: AddResult) => {
      if (result.document) apply({ type: "document", document: result.document });
    },
  });

  async function report(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      store.setState({ error: null });
      return true;
    } catch (error) {
      store.setState({ error: reportOf(error) });
      return false;
    }
  }

  function apply(event: LibraryEvent): void {
    store.setState((state) => changed(state, event));
  }

  connection.whileReady(async (signal) => {
    await report(async () => {
      await readStream((stop) => library.watch(undefined, { signal: stop }), signal, apply);
    });
  });
  return store;
}

/** What a library event changes. */
function changed(state: LibraryState, event: LibraryEvent): Partial<LibraryState> {
  switch (event.type) {
    case "snapshot":
      return { collections: event.collections, documents: event.documents, folders: event.folders, loaded: true };
    case "collection":
      return { collections: withEntry(state.collections, event.collection) };
    case "collection-removed":
      return {
        collections: state.collections.filter(({ id }) => id !== event.collectionId),
        documents: state.documents.filter(({ collectionId }) => collectionId !== event.collectionId),
        folders: state.folders.filter(({ collectionId }) => collectionId !== event.collectionId),
        openCollectionId: state.openCollectionId === event.collectionId ? null : state.openCollectionId,
      };
    case "document":
      return { documents: withEntry(state.documents, event.document) };
    case "document-removed":
      return { documents: state.documents.filter(({ id }) => id !== event.documentId) };
    case "folder":
      return { folders: withEntry(state.folders, event.folder) };
    case "folder-removed":
      return { folders: state.folders.filter(({ id }) => id !== event.folderId) };
  }
}

function withEntry<Entry extends { id: string }>(entries: readonly Entry[], entry: Entry): Entry[] {
  const at = entries.findIndex(({ id }) => id === entry.id);
  return at < 0 ? [...entries, entry] : entries.with(at, entry);
}
