import { stat } from "node:fs/promises";
import type { DocumentFile } from "../store/store.ts";
import { changedFile, fileSystemError } from "./file-errors.ts";
import { hashFile } from "./inspect-file.ts";

/** Files remembered as unchanged. */
const remembered = 1000;

/**
 * Knows whether a file read in place is still the one that was read. A file is hashed once, and again only when its size
 * or time stamp changes.
 */
export class VerifiedFiles {
  readonly #seen = new Map<string, string>();

  /** @throws CorralError FILE_NOT_FOUND when the file is gone or has other content now */
  async require(file: DocumentFile, name: string, signal: AbortSignal): Promise<void> {
    const status = await stat(file.path, { bigint: true }).catch((error: unknown) => {
      throw fileSystemError(name, error);
    });
    const stamp = `${status.dev}:${status.ino}:${status.size}:${status.mtimeNs}:${status.ctimeNs}`;
    const key = `${file.sha256} ${file.path}`;
    if (this.#seen.get(key) === stamp) return;
    if (status.size !== BigInt(file.bytes)) throw changedFile(name);
    if ((await hashFile(file.path, signal)) !== file.sha256) throw changedFile(name);
    if (this.#seen.size >= remembered) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(key, stamp);
  }
}
