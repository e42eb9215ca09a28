import type {
  AddResult,
  Collection,
  CollectionStorage,
  DocumentSummary,
  FollowedFolder,
  LibraryEvent,
  OcrData,
  PageView,
  TextSpan,
  TransferEvent,
} from "@corral/protocol";

/** Collections and documents: adding, reading (in a worker process), showing, removing. */
export interface Library extends AsyncDisposable {
  collections(): Promise<Collection[]>;
  createCollection(name: string): Promise<Collection>;
  renameCollection(id: string, name: string): Promise<Collection>;
  removeCollection(id: string): Promise<void>;
  /**
   * Writes a collection's ready documents to one file on this machine, replacing a file of that name once it is whole.
   * @param options.originals the original files too; @param options.vectors what embedding models made of its passages
   * @throws CorralError COLLECTION_NOT_FOUND, FILE_UNREADABLE and others of the file system; the signal's reason
   */
  exportCollection(
    collectionId: string,
    path: string,
    options: { originals: boolean; vectors: boolean },
    signal: AbortSignal,
  ): AsyncIterable<TransferEvent>;
  /**
   * Makes a collection of such a file, without parsing anything again.
   * @param name of the collection; null: as the file calls it
   * @throws CorralError FILE_NOT_FOUND, FILE_UNREADABLE, COLLECTION_EXISTS, DISK_FULL; the signal's reason
   */
  importCollection(path: string, name: string | null, signal: AbortSignal): AsyncIterable<TransferEvent>;
  /** @throws CorralError COLLECTION_NOT_FOUND */
  storage(collectionId: string): Promise<CollectionStorage>;
  documents(collectionId?: string): Promise<DocumentSummary[]>;
  /** Adds files and folders (recursively) that lie on this machine, read in place. One result per file. */
  addPaths(collectionId: string, paths: string[]): Promise<AddResult[]>;
  /** Stores an uploaded file under `files/` while it streams in (temp file, fsync, rename), then queues it. */
  addUpload(
    collectionId: string,
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<AddResult>;
  folders(): Promise<FollowedFolder[]>;
  /**
   * From now on the folder's files are documents of the collection, as they come, change, move and go.
   * @throws CorralError COLLECTION_NOT_FOUND, FILE_NOT_FOUND, FILE_UNREADABLE, INVALID_INPUT (not a folder)
   */
  followFolder(collectionId: string, path: string): Promise<FollowedFolder>;
  /** Documents stay unless they are to go too. An unknown folder is no error. */
  unfollowFolder(folderId: string, removeDocuments: boolean): Promise<void>;
  /** Text recognition as it is installed. */
  recognition(): Promise<OcrData>;
  cancel(documentId: string): Promise<DocumentSummary>;
  /** Reads a document (again), unless it waits or is being read. */
  retry(documentId: string): Promise<DocumentSummary>;
  removeDocument(documentId: string): Promise<void>;
  /** One snapshot, then each change, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<LibraryEvent>;
  /** @throws CorralError DOCUMENT_NOT_FOUND */
  page(documentId: string, page: number, highlight: TextSpan[]): Promise<PageView>;
  /** PNG of a page of a PDF or an image. @throws CorralError DOCUMENT_NOT_FOUND, FILE_NOT_FOUND (moved or changed since) */
  pageImage(documentId: string, page: number, scale: number, signal: AbortSignal): Promise<Uint8Array>;
  readonly supportedFileTypes: string[];
  readonly uploadLimitBytes: number;
}
