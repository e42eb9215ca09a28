import { basename } from "node:path";
import { stat } from "node:fs/promises";
import { type AddResult, CorralError, type DocumentSummary } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { readStamp } from "./file-stamp.ts";
import { fileSystemError } from "./file-errors.ts";
import { hashFile, inspectFile, requireFormat } from "./inspect-file.ts";
import type { OwnedFiles } from "./owned-files.ts";
import type { ReadingQueue } from "./reading-queue.ts";
import { Turns } from "./turns.ts";

/** Files added at the same time: their documents are then stored together. */
const addedTogether = 8;

export interface DocumentsOptions {
  store: Store;
  files: OwnedFiles;
  queue: ReadingQueue;
  onChange(document: DocumentSummary): void;
  onRemoved(documentId: string): void;
  /** A collection has more or fewer documents now. */
  onCount(collectionId: string): Promise<void>;
  onFailure(error: unknown): void;
}

/** Adding documents to collections, and removing them. */
export class Documents {
  readonly #options: DocumentsOptions;
  /** By content: the same content is added and removed one after the other, so that none is added twice or loses its file. */
  readonly #turns = new Turns();

  constructor(options: DocumentsOptions) {
    this.#options = options;
  }

  /** @throws CorralError DOCUMENT_NOT_FOUND */
  async require(id: string): Promise<DocumentSummary> {
    const document = await this.#options.store.documents.get(id);
    if (document) return document;
    const message = "That document is not in the library (any more).";
    throw new CorralError("DOCUMENT_NOT_FOUND", message, { document: id });
  }

  /**
   * Adds a file that lies on this machine, read in place. One that is known by its stamp is not even opened.
   * @param followed a followed folder brought it
   */
  async addPath(collectionId: string, path: string, followed = false): Promise<AddResult> {
    const { store } = this.#options;
    try {
      const name = basename(path);
      const stamp = await readStamp(path).catch((error: unknown) => {
        throw fileSystemError(name, error);
      });
      const [known] = await store.documents.findByStamps(collectionId, [{ path, stamp }]);
      if (known) return await this.#alreadyThere(path, known, followed);
      const { format, bytes } = await inspectFile(path);
      const sha256 = await hashFile(path);
      return await this.#turns.run(sha256, async () => {
        const found = await store.documents.findByHash(collectionId, sha256);
        if (found) return this.#alreadyThere(path, await this.#whereItIsNow(found, path, stamp), followed);
        const file = { path, owned: false, sha256, bytes, stamp };
        return this.#added(path, await store.documents.create({ collectionId, name, format, file }), followed);
      });
    } catch (error) {
      return this.#refused(path, error);
    }
  }

  /** Adds files as `addPath` does, some at the same time; answers in their order. */
  async addPaths(collectionId: string, paths: string[]): Promise<AddResult[]> {
    const stamps = await Promise.all(paths.map((path) => readStamp(path).catch(() => "")));
    const files = paths.map((path, i) => ({ path, stamp: stamps[i]! }));
    const known = await this.#options.store.documents.findByStamps(collectionId, files);
    const results: AddResult[] = [];
    let next = 0;
    const takeNext = async (): Promise<void> => {
      for (let at = next++; at < paths.length; at = next++) {
        const [path, found] = [paths[at]!, known[at]];
        results[at] = found ? await this.#alreadyThere(path, found, false) : await this.addPath(collectionId, path);
      }
    };
    await Promise.all(Array.from({ length: addedTogether }, takeNext));
    return results;
  }

  /** @throws CorralError CANCELLED */
  async addUpload(
    collectionId: string,
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<AddResult> {
    const { store, files } = this.#options;
    try {
      const format = requireFormat(name);
      const received = await files.receive(name, content, signal);
      return await this.#turns.run(received.sha256, async () => {
        const found = await store.documents.findByHash(collectionId, received.sha256);
        if (found) {
          await files.discard(received);
          return this.#alreadyThere(name, found, false);
        }
        const file = await files.keep(received, format);
        return this.#added(name, await store.documents.create({ collectionId, name, format, file }), false);
      });
    } catch (error) {
      if (error instanceof CorralError && error.code === "CANCELLED") throw error;
      return this.#refused(name, error);
    }
  }

  /** Something of a document changed outside. */
  changed(document: DocumentSummary): void {
    this.#options.onChange(this.#options.queue.withProgress(document));
  }

  /** Waits to be read (again). */
  async requeue({ id, collectionId }: DocumentSummary, followed = false): Promise<DocumentSummary> {
    const { store, queue, onChange } = this.#options;
    const document = await store.documents.setState(id, "queued");
    onChange(document);
    queue.add({ id, collectionId, followed });
    return document;
  }

  async cancel(id: string): Promise<DocumentSummary> {
    const { store, queue, onChange } = this.#options;
    await this.require(id);
    await queue.stop(id, "cancelled");
    const now = await this.require(id);
    if (now.state !== "queued") return now;
    const cancelled = await store.documents.setState(id, "cancelled");
    onChange(cancelled);
    return cancelled;
  }

  async remove(id: string): Promise<void> {
    const { store, files, queue, onRemoved } = this.#options;
    await queue.stop(id, "removed");
    const file = await store.documents.file(id);
    await this.#turns.run(file?.sha256 ?? "", async () => {
      const unused = await store.documents.remove(id);
      if (unused?.owned) await files.remove(unused.path);
    });
    onRemoved(id);
  }

  /** Removes a document that a followed folder brought, with other versions of its file that may be waiting. */
  async removeFile(id: string): Promise<void> {
    const { store, onCount } = this.#options;
    const [document, file] = await Promise.all([store.documents.get(id), store.documents.file(id)]);
    // An upload with the same content is the owner's, whatever becomes of the folder.
    if (!document || !file || file.owned) return;
    const versions = await store.documents.findByPath(document.collectionId, file.path);
    for (const version of versions) await this.remove(version.id);
    await onCount(document.collectionId);
  }

  /** Does something while nothing is added or removed. */
  alone<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#turns.runAlone(task);
  }

  /** A file that was added again after it changed: its old text goes once the new text can be found. */
  async removeOlderVersions(document: DocumentSummary): Promise<void> {
    const { store } = this.#options;
    const file = await store.documents.file(document.id);
    if (!file || file.owned) return;
    const versions = await store.documents.findByPath(document.collectionId, file.path);
    const place = versions.findIndex((version) => version.id === document.id);
    for (const older of versions.slice(0, Math.max(0, place))) await this.remove(older.id);
  }

  /** The same content at another path: a document whose own file is gone has moved there. */
  async #whereItIsNow(found: DocumentSummary, path: string, stamp: string): Promise<DocumentSummary> {
    const { store } = this.#options;
    const file = await store.documents.file(found.id);
    if (!file || file.owned) return found;
    const isElsewhere = file.path !== path && (await stat(file.path).catch(() => null)) !== null;
    if (isElsewhere) return found;
    const moved = await store.documents.relocate(found.id, { name: basename(path), path, stamp });
    this.changed(moved);
    return moved;
  }

  /** The outcome for content that is in the collection already; what failed or was cancelled is read again. */
  async #alreadyThere(file: string, found: DocumentSummary, followed: boolean): Promise<AddResult> {
    const again = !followed && (found.state === "failed" || found.state === "cancelled");
    const document = again ? await this.requeue(found) : this.#options.queue.withProgress(found);
    return { file, outcome: again ? "added" : "unchanged", document, error: null };
  }

  async #added(file: string, document: DocumentSummary, followed: boolean): Promise<AddResult> {
    const { queue, onChange, onCount } = this.#options;
    onChange(document);
    await onCount(document.collectionId);
    queue.add({ ...document, followed });
    return { file, outcome: "added", document, error: null };
  }

  #refused(file: string, error: unknown): AddResult {
    if (!(error instanceof CorralError)) this.#options.onFailure(error);
    return { file, outcome: "refused", document: null, error: CorralError.reportOf(error) };
  }
}
