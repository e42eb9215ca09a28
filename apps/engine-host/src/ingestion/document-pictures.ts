import { CorralError, type DocumentSummary } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { readingError } from "./file-errors.ts";
import { VerifiedFiles } from "./verified-files.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { WorkerFailure } from "./worker-process.ts";

/** Most pixels of a page picture: an A4 page at scale 4 has 8 million. A larger page is drawn at a smaller scale. */
const mostPixels = 16_000_000;
/** Drawing takes some tens of milliseconds; a page that takes this long is meant to. Milliseconds. */
const timeoutMs = 30_000;

/** Draws pages of PDF documents and images from their files. */
export class DocumentPictures {
  readonly #store: Store;
  readonly #workers: WorkerPool;
  readonly #verified = new VerifiedFiles();

  constructor(store: Store, workers: WorkerPool) {
    this.#store = store;
    this.#workers = workers;
  }

  /**
   * A page as PNG; `scale` 1 = 72 dots per inch.
   * @throws CorralError INVALID_INPUT (no such page, or no pages at all), FILE_NOT_FOUND (moved or changed since)
   */
  async draw(document: DocumentSummary, page: number, scale: number, signal: AbortSignal): Promise<Uint8Array> {
    const { id, name, format } = document;
    const [file, content] = await Promise.all([this.#store.documents.file(id), this.#store.pages.get(id, page)]);
    if ((format !== "pdf" && format !== "image") || !file || !content) throw this.noSuchPage(document, page);
    await this.#verified.require(file, name, signal);
    const points = (content.width ?? 0) * (content.height ?? 0);
    const fitting = points > 0 ? Math.min(scale, Math.sqrt(mostPixels / points)) : scale;
    try {
      return await this.#workers.render(
        { type: "render", path: file.path, format, page, scale: fitting },
        { timeoutMs, signal },
      );
    } catch (error) {
      throw error instanceof WorkerFailure ? readingError(name, error.reason) : error;
    }
  }

  noSuchPage(document: DocumentSummary, page: number): CorralError {
    const { name, format, pageCount, state } = document;
    const reason =
      state !== "ready"
        ? `${name} has not been read yet, so there is nothing to show`
        : page > (pageCount ?? 0)
          ? `${name} has only ${pageCount ?? 0} pages`
          : `${name} (${format}) has no page pictures; show its text instead`;
    return new CorralError("INVALID_INPUT", `${reason}.`, { field: "page", reason });
  }
}
