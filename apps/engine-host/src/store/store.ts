import type {
  Citation,
  Collection,
  CollectionStorage,
  ConversationSettings,
  ConversationSummary,
  Conversation,
  DocumentFormat,
  DocumentState,
  DocumentSummary,
  ErrorReport,
  FolderState,
  FollowedFolder,
  Message,
  RetrievalReport,
  Sources,
  TableRow,
  TextSpan,
  Timings,
  ToolStep,
  TurnSummary,
  Usage,
} from "@corral/protocol";

/**
 * Everything Corral keeps, in one SQLite database. All methods run on the store's own threads (one writer, one reader for
 * long searches), so none blocks the caller; each public write is one transaction and is on disk (synchronous=FULL) when
 * its promise resolves. Ids are made by the store: UUIDv7 strings, and for a chunk `<document id>.<ordinal>`, so that a citation
 * still finds its chunk when the document is read again.
 */
export interface Store extends AsyncDisposable {
  readonly collections: CollectionTable;
  readonly documents: DocumentTable;
  readonly pages: PageTable;
  readonly folders: FolderTable;
  readonly index: IndexTable;
  readonly vectors: VectorTable;
  readonly conversations: ConversationTable;
  readonly messages: MessageTable;
  readonly modelFiles: ModelFileTable;
  readonly fitMeasurements: FitMeasurementTable;
  readonly settings: SettingsTable;
  /** Row counts and integrity for `corral doctor`. */
  check(): Promise<{
    schema: number;
    sqliteVersion: string;
    integrity: "ok" | string;
    pragmas: Record<string, string | number>;
  }>;
}

export interface CollectionTable {
  list(): Promise<Collection[]>;
  get(id: string): Promise<Collection | null>;
  getByName(name: string): Promise<Collection | null>;
  /** @throws CorralError COLLECTION_EXISTS (names are compared without case) */
  create(name: string): Promise<Collection>;
  /** @throws CorralError COLLECTION_EXISTS, COLLECTION_NOT_FOUND */
  rename(id: string, name: string): Promise<Collection>;
  /** Removes documents, pages, chunks, index entries and followed folders with it. An unknown id is no error. */
  remove(id: string): Promise<void>;
  /** Adds up what the collection takes. Reads through the index: some tenths of a second for a large library. */
  storage(id: string): Promise<CollectionStorage>;
}

/** Where a document's bytes lie: read in place, or a copy under the data directory's `files/`. */
export interface DocumentFile {
  path: string;
  /** True when Corral owns the copy and removes it with the last document that uses it. */
  owned: boolean;
  /** SHA-256 of the content, hex. */
  sha256: string;
  bytes: number;
  /** Tells without reading it whether the file is still the same one; absent where nobody asks (copies). */
  stamp?: string;
}

export interface DocumentTable {
  list(collectionId?: string): Promise<DocumentSummary[]>;
  get(id: string): Promise<DocumentSummary | null>;
  file(id: string): Promise<DocumentFile | null>;
  /** The document of this collection with this content, if any. */
  findByHash(collectionId: string, sha256: string): Promise<DocumentSummary | null>;
  /** The documents of this collection whose file has exactly this path, oldest first. */
  findByPath(collectionId: string, path: string): Promise<DocumentSummary[]>;
  /** For each file the document of this collection that was read from its path when it had this stamp; null: none. */
  findByStamps(
    collectionId: string,
    files: readonly { path: string; stamp: string }[],
  ): Promise<(DocumentSummary | null)[]>;
  /** The same content lies elsewhere now, or has another time stamp. @throws CorralError DOCUMENT_NOT_FOUND */
  relocate(id: string, file: { name: string; path: string; stamp: string }): Promise<DocumentSummary>;
  /** The files that Corral owns (copies under `files/`), with the document each belongs to. */
  ownedFiles(): Promise<{ documentId: string; file: DocumentFile }[]>;
  /** @throws CorralError COLLECTION_NOT_FOUND */
  create(entry: {
    collectionId: string;
    name: string;
    format: DocumentFormat;
    file: DocumentFile;
  }): Promise<DocumentSummary>;
  /** @throws CorralError DOCUMENT_NOT_FOUND */
  setState(id: string, state: DocumentState, error?: ErrorReport | null): Promise<DocumentSummary>;
  /** Documents in state queued, reading or indexing, oldest first (what a restart must resume). */
  unfinished(): Promise<UnfinishedDocument[]>;
  /**
   * Stores all that reading a document gave, replaces what was there, and sets it ready: pages, chunks and index entries
   * in one transaction, so that a crash leaves the document either whole or still queued.
   * @throws CorralError DOCUMENT_NOT_FOUND (removed meanwhile)
   */
  saveContent(id: string, content: DocumentContent): Promise<DocumentSummary>;
  /** All that reading the document gave; null: it is not ready. */
  content(id: string): Promise<DocumentContent | null>;
  /** Creates a document that was read elsewhere, with its content, ready at once. @throws CorralError COLLECTION_NOT_FOUND */
  createRead(
    entry: { collectionId: string; name: string; format: DocumentFormat; file: DocumentFile },
    content: DocumentContent,
  ): Promise<DocumentSummary>;
  /** Removes pages, chunks and index entries; answers the file if no other document uses it any more. */
  remove(id: string): Promise<DocumentFile | null>;
}

export interface UnfinishedDocument {
  id: string;
  collectionId: string;
  /** A followed folder brought it, nobody waits for it. */
  followed: boolean;
}

/** A file as it was last seen in a followed folder. */
export interface FolderFile {
  path: string;
  stamp: string;
  /** Null: it gave no document (`error` says why), or its document was removed by hand. */
  documentId: string | null;
  error: ErrorReport | null;
}

export interface FolderTable {
  list(): Promise<FollowedFolder[]>;
  get(id: string): Promise<FollowedFolder | null>;
  /** Answers the folder that is there already, if any. @throws CorralError COLLECTION_NOT_FOUND */
  add(collectionId: string, path: string): Promise<FollowedFolder>;
  /** Forgets the folder and what was seen in it; documents stay. */
  remove(id: string): Promise<void>;
  /** `checkedAt` null: as before. Answers null when it is not followed any more. */
  setState(
    id: string,
    state: FolderState,
    error: ErrorReport | null,
    checkedAt: string | null,
  ): Promise<FollowedFolder | null>;
  files(id: string): Promise<FolderFile[]>;
  putFiles(id: string, files: FolderFile[]): Promise<void>;
  /**
   * Forgets files. Answers the ids of documents that no file of a followed folder stands for any more, and of those whose
   * own file is forgotten where another one with the same content still is.
   */
  removeFiles(
    id: string,
    paths: string[],
  ): Promise<{ unused: string[]; moved: { documentId: string; path: string; stamp: string }[] }>;
}

/** A line of a PDF page: its stretch of the page text and its box in points, origin top left. */
export interface PageLine {
  start: number;
  end: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PageContent {
  /** From 1. */
  page: number;
  text: string;
  width: number | null;
  height: number | null;
  lines: PageLine[];
  /** What people call it, see PageView. */
  label?: string | null;
  /** Rows of tables in its text. */
  tableRows?: TableRow[];
}

export interface ChunkContent {
  /** The text as indexed and shown, without the title prefix. */
  text: string;
  headingPath: string[];
  spans: TextSpan[];
  tokenEstimate: number;
}

export interface DocumentContent {
  title: string | null;
  /** BCP-47; null where it could not be detected: words are then indexed as they stand, without stemming. */
  language: string | null;
  paged: boolean;
  pages: PageContent[];
  chunks: ChunkContent[];
  /** What could not be read of it, shown beside the ready document. */
  note?: ErrorReport | null;
}

export interface PageTable {
  get(documentId: string, page: number): Promise<PageContent | null>;
}

export interface StoredChunk {
  id: string;
  documentId: string;
  collectionId: string;
  document: string;
  /** What people call the page it begins on, where it has a name. */
  label?: string;
  paged: boolean;
  title: string | null;
  language: string | null;
  /** Place within the document, from 0. */
  ordinal: number;
  headingPath: string[];
  text: string;
  spans: TextSpan[];
  tokenEstimate: number;
}

export interface SearchOptions {
  /** True: quotes, exclusions and fields mean something (query.ts). Absent: all of the query is words. */
  syntax?: boolean;
}

export interface IndexTable {
  /**
   * BM25 over the ready documents of `sources` (null: all documents), best first; equal scores in the order the chunks were
   * stored. The query is cut into terms by the same analyzer that made the index; its first 256 distinct words that the
   * index knows are all scored, exactly. Runs on the reader thread and sees what was committed before it began.
   */
  search(
    query: string,
    sources: Sources | null,
    limit: number,
    options?: SearchOptions,
  ): Promise<{ chunk: StoredChunk; score: number }[]>;
  chunk(id: string): Promise<StoredChunk | null>;
  /**
   * Every chunk of the ready documents of `sources` in reading order; null when there are none, or when they have more than
   * `tokenLimit` tokens together (by estimate).
   */
  chunksOf(sources: Sources, tokenLimit: number): Promise<StoredChunk[] | null>;
  /** Inverse document frequency ln((N+1)/(df+1)) of each term. */
  idf(terms: string[]): Promise<number[]>;
}

/** Vectors of an embedding model, and how far they are. */
export interface VectorModel {
  /** Id of the model. */
  model: string;
  dimensions: number;
  /** Chunks that have a vector. */
  vectors: number;
  /** int8: scanned as they are. bits: too many for that, so bits are scanned and the best `candidates` looked at closely. */
  mode: "int8" | "bits";
  /** In bits mode, once measured; with the share of the true ten best that are found by it, 0..1. */
  candidates: number | null;
  recall: number | null;
}

/** A document's vectors of one model, by the places of its chunks. */
export interface DocumentVectors {
  model: string;
  dimensions: number;
  entries: { ordinal: number; vector: Float32Array }[];
}

export interface VectorTable {
  /** The models that have vectors, and how many chunks there are to have one. */
  status(): Promise<{ chunks: number; models: VectorModel[] }>;
  /**
   * Chunks that lack a vector of this model, by rising key, from the one after `after` on (0: from the first). Keys are
   * never used twice, so a chunk that was made anew is another one. `text` is what is to be embedded: title, headings, text.
   */
  missing(model: string, after: number, limit: number): Promise<{ key: number; text: string }[]>;
  /**
   * Adds vectors of unit length, all of one number of dimensions. Chunks that are gone or have a vector are passed over.
   * @returns how many were added
   */
  add(model: string, entries: { key: number; vector: Float32Array }[]): Promise<number>;
  /**
   * The chunks of the ready documents of `sources` (null: all documents) whose vectors have the highest dot product with
   * the query's, best first: exact among those that have one (in bits mode with the measured recall). Empty for a model
   * that is not known. Runs on the reader thread and sees what was committed before it began.
   * @param text the query in the syntax of query.ts: its fields, phrases and exclusions hold here too; absent: it has none
   */
  search(
    model: string,
    query: Float32Array,
    sources: Sources | null,
    limit: number,
    text?: string,
  ): Promise<{ chunk: StoredChunk; score: number }[]>;
  /** The vectors of a document's chunks, of every model. */
  ofDocument(documentId: string): Promise<DocumentVectors[]>;
  /**
   * Adds vectors that came with a document. Those that do not fit (another number of dimensions than the model's others,
   * no such chunk, no direction) are left out. @returns how many were added
   */
  addToDocument(documentId: string, vectors: DocumentVectors): Promise<number>;
  /** Forgets all vectors of a model. */
  dropModel(model: string): Promise<void>;
  /** Bytes that the vectors searched last take in memory. */
  residentBytes(): Promise<number>;
}

export interface ConversationTable {
  list(search: string): Promise<ConversationSummary[]>;
  /** @throws CorralError CONVERSATION_NOT_FOUND */
  get(id: string): Promise<Conversation>;
  create(settings: ConversationSettings): Promise<Conversation>;
  rename(id: string, title: string): Promise<ConversationSummary>;
  configure(id: string, settings: Partial<ConversationSettings>): Promise<Conversation>;
  remove(id: string): Promise<void>;
  /** Makes the newest branch through this message the active one. @throws CorralError MESSAGE_NOT_FOUND */
  selectVersion(messageId: string): Promise<Conversation>;
}

export interface MessageTable {
  get(id: string): Promise<Message | null>;
  /** The messages from the root to this one, oldest first. */
  path(id: string): Promise<Message[]>;
  /** Adds a message under `parentId` (null: a new root) and makes its branch the active one. */
  add(entry: {
    conversationId: string;
    parentId: string | null;
    role: "user" | "assistant";
    text: string;
    state: Message["state"];
    model: string | null;
  }): Promise<Message>;
  /** Saves what there is so far of a reply that is being written (about once a second, and before a tool runs). */
  saveProgress(id: string, progress: { text: string; steps: ToolStep[] }): Promise<void>;
  finish(
    id: string,
    result: {
      text: string;
      state: Exclude<Message["state"], "streaming">;
      citations: Citation[];
      retrieval: RetrievalReport | null;
      timings: Timings | null;
      usage: Usage | null;
      finishReason: "stop" | "length" | null;
      error: ErrorReport | null;
      /** Absent: no tool was called. */
      steps?: ToolStep[];
      /** Absent: nothing was summarised. */
      summary?: TurnSummary | null;
      /** Given: the model that really answered; else the message keeps the one it was added with. */
      model?: string | null;
    },
  ): Promise<Message>;
  /** Marks replies still "streaming" (the host died), with their calls, as interrupted; called once at start-up. */
  interruptUnfinished(): Promise<number>;
}

export interface ModelFile {
  id: string;
  name: string;
  path: string;
  bytes: number;
  addedAt: string;
}

export interface ModelFileTable {
  list(): Promise<ModelFile[]>;
  add(entry: { id: string; name: string; path: string; bytes: number }): Promise<ModelFile>;
  remove(id: string): Promise<void>;
}

/** Memory on one device by part, bytes. `overheadBytes` null: not measured. */
export interface FitParts {
  weightsBytes: number;
  kvCacheBytes: number;
  computeBytes: number;
  overheadBytes: number | null;
}

/** What a load was predicted to take on a device, and what it took. */
export interface FitMeasurement {
  model: string;
  quantization: string;
  /** "cpu", "cuda", "metal" or "vulkan". */
  backend: string;
  /** The device's name: equal cards teach each other. */
  deviceKind: string;
  /** Tokens of one sequence. */
  contextSize: number;
  kvCacheType: string;
  /** By the planner alone, without what it had learnt. */
  predicted: FitParts;
  measured: FitParts;
  measuredAt: string;
}

export interface FitMeasurementTable {
  /** Of one model file, newest first. */
  list(model: string, quantization: string): Promise<FitMeasurement[]>;
  /** One for each model, quantization, backend, device kind, context and KV cache type: the newest stays. */
  add(entry: Omit<FitMeasurement, "measuredAt">): Promise<void>;
}

export interface SettingsTable {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
}
