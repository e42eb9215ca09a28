import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { CorralError, type DocumentFormat } from "@corral/protocol";
import type { DocumentFile } from "../store/store.ts";
import { emptyFile, tooLarge } from "./file-errors.ts";
import { inspectFile } from "./inspect-file.ts";
import { largestFile } from "./file-types.ts";

/** Disk space uploads leave alone, so that the database can always be written. Bytes. */
const reserveBytes = 2 * 2 ** 30;
/** Free space is asked for again after this much was written. Bytes. */
const checkEveryBytes = 64 * 2 ** 20;
const temporaryPrefix = "tmp-";

/** An upload that lies complete, and on disk, under a temporary name. */
export interface ReceivedFile {
  temporary: string;
  /** Hex. */
  sha256: string;
  bytes: number;
}

/**
 * The copies that Corral owns: uploads, kept under names made from their content, so that the same content is kept once.
 * The name ends as the format asks for, because the PDF parser goes by it.
 */
export class OwnedFiles {
  readonly #directory: string;
  readonly #freeBytes: () => Promise<number>;

  /** @param freeBytes free space for this user where the files lie; another source is for tests */
  constructor(dataDirectory: string, freeBytes?: () => Promise<number>) {
    this.#directory = join(dataDirectory, "files");
    this.#freeBytes =
      freeBytes ??
      (async () => {
        const { bavail, bsize } = await statfs(this.#directory);
        return bavail * bsize;
      });
  }

  /** Creates the folder and removes what interrupted uploads left behind. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(temporaryPrefix)) await rm(join(this.#directory, name), { force: true });
    }
  }

  /** Where the copy of this content lies, or would lie. @param sha256 hex */
  pathOf(sha256: string, format: DocumentFormat): string {
    return join(this.#directory, `${sha256}.${format}`);
  }

  /** Paths of all finished copies. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#directory);
    return names.filter((name) => !name.startsWith(temporaryPrefix)).map((name) => join(this.#directory, name));
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  /**
   * Writes an upload to disk while it streams in. A failed or aborted upload leaves nothing behind; one that was received
   * must be kept or discarded.
   * @throws CorralError CANCELLED, EMPTY_FILE, FILE_TOO_LARGE, FILE_UNREADABLE, DISK_FULL
   */
  async receive(name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ReceivedFile> {
    const temporary = join(this.#directory, `${temporaryPrefix}${randomUUID()}`);
    try {
      const { sha256, bytes } = await this.#write(temporary, name, content, signal);
      await inspectFile(temporary, name);
      return { temporary, sha256, bytes };
    } catch (error) {
      await rm(temporary, { force: true });
      if (signal.aborted)
        throw new CorralError("CANCELLED", `The upload of ${name} was cancelled.`, {}, { cause: error });
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw this.#diskFull(name);
      throw error;
    }
  }

  /** Gives a received file its lasting name; it survives a power cut when this resolves. */
  async keep({ temporary, sha256, bytes }: ReceivedFile, format: DocumentFormat): Promise<DocumentFile> {
    const path = this.pathOf(sha256, format);
    await rename(temporary, path);
    await this.#syncDirectory();
    return { path, owned: true, sha256, bytes };
  }

  async discard({ temporary }: ReceivedFile): Promise<void> {
    await rm(temporary, { force: true });
  }

  async #write(
    path: string,
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<{ sha256: string; bytes: number }> {
    const hash = createHash("sha256");
    let bytes = 0;
    let checkedAt = -checkEveryBytes;
    signal.throwIfAborted();
    await using file = await open(path, "wx", 0o600);
    for await (const chunk of untilAborted(content, signal)) {
      bytes += chunk.length;
      if (bytes > largestFile) throw tooLarge(name, bytes);
      if (bytes - checkedAt >= checkEveryBytes) {
        const free = await this.#freeBytes();
        if (free < reserveBytes + chunk.length) throw this.#diskFull(name, free);
        checkedAt = bytes;
      }
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    if (bytes === 0) throw emptyFile(name);
    await file.sync();
    return { sha256: hash.digest("hex"), bytes };
  }

  #diskFull(name: string, freeBytes?: number): CorralError {
    const message = `There is not enough disk space to keep ${name}; make room where Corral keeps its data.`;
    const measured = freeBytes === undefined ? {} : { neededBytes: reserveBytes, freeBytes };
    return new CorralError("DISK_FULL", message, { directory: this.#directory, ...measured });
  }

  /** A renamed file survives a power cut only once its folder is on disk. Windows does not offer this. */
  async #syncDirectory(): Promise<void> {
    if (process.platform === "win32") return;
    await using directory = await open(this.#directory, "r");
    await directory.sync();
  }
}

/** Gives up waiting for the next piece as soon as the signal aborts, even if the sender has fallen silent. */
async function* untilAborted(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const iterator = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a silent sender would keep us here.
    void iterator.return?.().catch(() => {});
  }
}
