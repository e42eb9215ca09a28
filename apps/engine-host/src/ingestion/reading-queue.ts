import { stat } from "node:fs/promises";
import { CorralError, type DocumentState, type DocumentSummary } from "@corral/protocol";
import type { DocumentContent, DocumentFile, Store } from "../store/store.ts";
import { changedFile, fileSystemError, partlyRead, readingError } from "./file-errors.ts";
import type { ReadLimits } from "./worker-channel.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { WorkerFailure } from "./worker-process.ts";

/** What one document may give at most: about 10,000 dense pages. */
export const readLimits: ReadLimits = {
  pages: 10_000,
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

export interface ReadingQueueOptions {
  store: Store;
  workers: WorkerPool;
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

/**
 * Reads the documents that are waiting. What waits is kept as the documents' state in the store, so a restart goes on
 * where a crash left off; this queue only remembers the order.
 */
export class ReadingQueue implements AsyncDisposable {
  readonly #options: ReadingQueueOptions;
  readonly #limits: ReadLimits;
  readonly #waiting = new Set<string>();
  readonly #jobs = new Map<string, Job>();
  readonly #progress = new Map<string, { value: number; toldAt: number }>();
  readonly #slots: number;
  #closed = false;

  /** @param slots documents read at the same time */
  constructor(options: ReadingQueueOptions, slots = 2) {
    this.#options = options;
    this.#limits = options.limits ?? readLimits;
    this.#slots = slots;
  }

  /** Takes up what was left unfinished. */
  async resume(): Promise<void> {
    for (const id of await this.#options.store.documents.unfinished()) this.add(id);
  }

  add(documentId: string): void {
    if (this.#closed || this.#jobs.has(documentId)) return;
    this.#waiting.add(documentId);
    this.#startNext();
  }

  /** The summary with the progress this queue knows. */
  withProgress(document: DocumentSummary): DocumentSummary {
    const busy = document.state === "reading" || document.state === "indexing";
    return busy ? { ...document, progress: this.#progress.get(document.id)?.value ?? 0 } : document;
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
    for (const id of this.#waiting) {
      if (this.#jobs.size >= this.#slots) return;
      this.#waiting.delete(id);
      const stop = new AbortController();
      const done = this.#work(id, stop.signal).finally(() => {
        this.#jobs.delete(id);
        this.#progress.delete(id);
        this.#startNext();
      });
      this.#jobs.set(id, { stop, done });
    }
  }

  /** One document from start to end. Never rejects: what went wrong becomes the document's state. */
  async #work(id: string, signal: AbortSignal): Promise<void> {
    const { store, onReady, onFailure } = this.#options;
    try {
      const document = await store.documents.get(id);
      const file = await store.documents.file(id);
      // It may have been removed or cancelled while it waited.
      if (!document || !file || !["queued", "reading", "indexing"].includes(document.state)) return;
      await this.#enter(id, "reading");
      const content = await this.#read(document, file, signal);
      signal.throwIfAborted();
      await this.#enter(id, "indexing");
      const ready = await store.documents.saveContent(id, content);
      this.#options.onChange(ready);
      await onReady(ready);
    } catch (error) {
      try {
        if (signal.aborted) {
          // Closing leaves the state as it is, so that the next start reads the document; a removed one has none.
          if (signal.reason === "cancelled") await this.#enter(id, "cancelled");
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
    const pages: DocumentContent["pages"] = [];
    const chunks: DocumentContent["chunks"] = [];
    const timeoutMs = this.#options.timeoutFor?.(bytes) ?? baseTimeoutMs + Math.ceil(bytes / 2 ** 20) * timeoutMsPerMiB;
    const { title, language, paged, losses } = await this.#options.workers.read(
      { type: "read", path, format: document.format, limits: this.#limits },
      {
        timeoutMs,
        signal,
        onPart: (part) => {
          for (const page of part.pages) pages.push(page);
          for (const chunk of part.chunks) chunks.push(chunk);
          this.#tell(document, part.progress * readingShare);
        },
      },
    );
    const note = losses.length > 0 ? partlyRead(document.name, losses).report() : null;
    return { title, language, paged, pages, chunks, note };
  }

  async #enter(id: string, state: DocumentState): Promise<void> {
    const value = state === "indexing" ? readingShare : 0;
    this.#progress.set(id, { value, toldAt: performance.now() });
    this.#options.onChange(this.withProgress(await this.#options.store.documents.setState(id, state)));
  }

  #tell(document: DocumentSummary, value: number): void {
    const now = performance.now();
    const before = this.#progress.get(document.id);
    const due = !before || now - before.toldAt >= progressIntervalMs;
    this.#progress.set(document.id, { value, toldAt: due ? now : before.toldAt });
    if (due) this.#options.onChange(this.withProgress({ ...document, state: "reading" }));
  }
}
