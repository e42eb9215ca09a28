import { stat } from "node:fs/promises";
import { CorralError, type DocumentSummary } from "@corral/protocol";
import type { DocumentContent, DocumentFile, Store } from "../store/store.ts";
import { changedFile, fileSystemError, partlyRead, readingError } from "./file-errors.ts";
import { type WaitingDocument, WaitingDocuments } from "./waiting-documents.ts";
import type { ReadLimits, Recognition, ToWorker } from "./worker-channel.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { WorkerFailure } from "./worker-process.ts";

/** What one document may give at most: about 10,000 dense pages. */
export const readLimits: ReadLimits = {
  pages: 10_000,
  recognisedPages: 2_000,
  characters: 20_000_000,
  fileBytes: 64 * 2 ** 20,
  unpackedBytes: 256 * 2 ** 20,
};

/** Time to read a file: two minutes, and a second more for each MiB. Milliseconds. */
const baseTimeoutMs = 120_000;
const timeoutMsPerMiB = 1000;
/** Progress is told at most this often per document. Milliseconds. */
const progressIntervalMs = 100;
/** Share of the progress that reading takes; the rest is storing and indexing. */
const readingShare = 0.9;
/** Documents that are read but not saved yet: enough for the store to save many at once, few enough to hold in memory. */
const mostUnsaved = 64;
const mostUnsavedCharacters = 16 * 2 ** 20;

export interface ReadingQueueOptions {
  store: Store;
  workers: WorkerPool;
  /** Text recognition as it is installed now. */
  recognition(): Promise<Recognition | null>;
  limits?: ReadLimits;
  /** Milliseconds for a file of this size (bytes). */
  timeoutFor?: (bytes: number) => number;
  /** A document changed its state, or moved on in it. */
  onChange(document: DocumentSummary): void;
  /** A document has become ready. Awaited before its job counts as done. */
  onReady(document: DocumentSummary): Promise<void>;
  /** A document could not be read, with what the worker said for the log. */
  onFailure(documentId: string, error: unknown, details: string): void;
}

/** Why a running job was stopped. */
type StopReason = "cancelled" | "removed" | "closing";

interface Job {
  stop: AbortController;
  done: Promise<void>;
}

/** How far a document is that is being worked on; the store knows only that it is queued. */
interface Phase {
  state: "reading" | "indexing";
  /** 0..1 */
  progress: number;
  toldAt: number;
}

/**
 * Reads the documents that are waiting. What waits is kept as the documents' state in the store, so a restart goes on
 * where a crash left off; this queue only remembers the order. A document that is read makes room for the next one before
 * it is saved, so that the store saves many in one go.
 */
export class ReadingQueue implements AsyncDisposable {
  readonly #options: ReadingQueueOptions;
  readonly #limits: ReadLimits;
  readonly #waiting = new WaitingDocuments();
  readonly #jobs = new Map<string, Job>();
  readonly #phases = new Map<string, Phase>();
  /** Being read. */
  #reading = 0;
  readonly #unsaved = { documents: 0, characters: 0 };
  #saved = Promise.withResolvers<void>();
  #closed = false;

  constructor(options: ReadingQueueOptions) {
    this.#options = options;
    this.#limits = options.limits ?? readLimits;
  }

  /** Takes up what was left unfinished. */
  async resume(): Promise<void> {
    for (const document of await this.#options.store.documents.unfinished()) this.add(document);
  }

  add(document: WaitingDocument): void {
    if (this.#closed || this.#jobs.has(document.id)) return;
    this.#waiting.add(document);
    this.#startNext();
  }

  /** The summary with the state and progress this queue knows. */
  withProgress(document: DocumentSummary): DocumentSummary {
    const phase = this.#phases.get(document.id);
    const isOpen = document.state === "queued" || document.state === "reading" || document.state === "indexing";
    return phase && isOpen ? { ...document, state: phase.state, progress: phase.progress, error: null } : document;
  }

  /** Stops reading a document; true when it was waiting or being read. Resolves when nothing works on it any more. */
  async stop(documentId: string, reason: StopReason): Promise<boolean> {
    if (this.#waiting.delete(documentId)) return true;
    const job = this.#jobs.get(documentId);
    if (!job) return false;
    job.stop.abort(reason);
    await job.done;
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await Promise.all([...this.#jobs.keys()].map((id) => this.stop(id, "closing")));
  }

  #startNext(): void {
    while (this.#reading < this.#options.workers.readers) {
      const id = this.#waiting.next();
      if (id === null) return;
      this.#reading++;
      let isReading = true;
      const readIt = () => {
        if (!isReading) return;
        isReading = false;
        this.#reading--;
        this.#startNext();
      };
      const stop = new AbortController();
      const done = this.#work(id, stop.signal, readIt).finally(() => {
        this.#jobs.delete(id);
        this.#phases.delete(id);
        readIt();
      });
      this.#jobs.set(id, { stop, done });
    }
  }

  /**
   * One document from start to end. Never rejects: what went wrong becomes the document's state.
   * @param readIt says that the next document may be read
   */
  async #work(id: string, signal: AbortSignal, readIt: () => void): Promise<void> {
    const { store, onReady, onFailure } = this.#options;
    try {
      const [document, file] = await Promise.all([store.documents.get(id), store.documents.file(id)]);
      // It may have been removed or cancelled while it waited.
      if (!document || !file || !["queued", "reading", "indexing"].includes(document.state)) return;
      this.#enter(document, "reading");
      const content = await this.#read(document, file, signal);
      await this.#roomToSave();
      readIt();
      signal.throwIfAborted();
      this.#enter(document, "indexing");
      const ready = await this.#save(id, content);
      this.#options.onChange(ready);
      await onReady(ready);
    } catch (error) {
      try {
        if (signal.aborted) {
          // Closing leaves the state as it is, so that the next start reads the document; a removed one has none.
          if (signal.reason !== "cancelled") return;
          this.#options.onChange(await store.documents.setState(id, "cancelled"));
          return;
        }
        const details = error instanceof WorkerFailure ? error.details : "";
        const name = (await store.documents.get(id))?.name ?? id;
        const failure = error instanceof WorkerFailure ? readingError(name, error.reason) : error;
        onFailure(id, failure, details);
        const state = await store.documents.setState(id, "failed", CorralError.reportOf(failure));
        this.#options.onChange(state);
      } catch (storeError) {
        onFailure(id, storeError, "");
      }
    }
  }

  async #read(document: DocumentSummary, file: DocumentFile, signal: AbortSignal): Promise<DocumentContent> {
    const { path, bytes } = file;
    const status = await stat(path).catch((error: unknown) => {
      throw fileSystemError(document.name, error);
    });
    if (status.size !== bytes) throw changedFile(document.name);
    const recognition = await this.#options.recognition();
    const job = { type: "read" as const, path, format: document.format, limits: this.#limits, recognition };
    let isRecognising = false;
    const attempt = { document, bytes, signal, onRecognising: () => (isRecognising = true) };
    try {
      return await this.#readWith(job, attempt);
    } catch (error) {
      // Recognising a page may need more than reading all the others: what can be read without it is kept.
      const gaveUp = error instanceof WorkerFailure && isRecognising && document.format !== "image";
      if (!gaveUp || signal.aborted) throw error;
      const content = await this.#readWith({ ...job, recognition: null }, attempt).catch(() => {
        throw error;
      });
      const parts = ["its scanned pages (recognising their text took too much time or memory)"];
      return { ...content, note: partlyRead(document.name, parts).report() };
    }
  }

  async #readWith(
    job: Extract<ToWorker, { type: "read" }>,
    attempt: { document: DocumentSummary; bytes: number; signal: AbortSignal; onRecognising: () => void },
  ): Promise<DocumentContent> {
    const { document, bytes, signal } = attempt;
    const pages: DocumentContent["pages"] = [];
    const chunks: DocumentContent["chunks"] = [];
    const timeoutMs = this.#options.timeoutFor?.(bytes) ?? baseTimeoutMs + Math.ceil(bytes / 2 ** 20) * timeoutMsPerMiB;
    const { title, language, paged, losses } = await this.#options.workers.read(job, {
      timeoutMs,
      signal,
      onPart: (part) => {
        if (part.pages.length === 0 && part.chunks.length === 0 && part.progress < 1) attempt.onRecognising();
        for (const page of part.pages) pages.push(page);
        for (const chunk of part.chunks) chunks.push(chunk);
        this.#tell(document, part.progress * readingShare);
      },
    });
    const note = losses.length > 0 ? partlyRead(document.name, losses).report() : null;
    return { title, language, paged, pages, chunks, note };
  }

  /** Waits while too much is read and not saved. */
  async #roomToSave(): Promise<void> {
    while (this.#unsaved.documents >= mostUnsaved || this.#unsaved.characters >= mostUnsavedCharacters) {
      await this.#saved.promise;
    }
  }

  async #save(id: string, content: DocumentContent): Promise<DocumentSummary> {
    const characters = content.pages.reduce((sum, page) => sum + page.text.length, 0);
    this.#unsaved.documents++;
    this.#unsaved.characters += characters;
    try {
      return await this.#options.store.documents.saveContent(id, content);
    } finally {
      this.#unsaved.documents--;
      this.#unsaved.characters -= characters;
      this.#saved.resolve();
      this.#saved = Promise.withResolvers();
    }
  }

  #enter(document: DocumentSummary, state: Phase["state"]): void {
    const progress = state === "indexing" ? readingShare : 0;
    this.#phases.set(document.id, { state, progress, toldAt: performance.now() });
    this.#options.onChange(this.withProgress(document));
  }

  #tell(document: DocumentSummary, progress: number): void {
    const phase = this.#phases.get(document.id);
    if (!phase) return;
    const now = performance.now();
    const due = now - phase.toldAt >= progressIntervalMs;
    this.#phases.set(document.id, { ...phase, progress, toldAt: due ? now : phase.toldAt });
    if (due) this.#options.onChange(this.withProgress(document));
  }
}
