import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { CorralError, DocumentFormat } from "@corral/protocol";
import {
  emptyFile,
  fileSystemError,
  notAFile,
  otherPictureFile,
  tooLarge,
  unreadableFile,
  unsupportedType,
} from "./file-errors.ts";
import { contradiction, formatOf, headBytes, isOtherPicture, largestFile } from "./file-types.ts";

/** Read at once while hashing: hashing this much takes well under a millisecond. */
const hashChunkBytes = 256 * 1024;

/** The format of a file by its name. @throws CorralError UNSUPPORTED_FILE_TYPE, FILE_UNREADABLE (a picture of another kind) */
export function requireFormat(name: string): DocumentFormat {
  if (isOtherPicture(name)) throw otherPictureFile(name);
  const format = formatOf(name);
  if (!format) throw unsupportedType(name, extname(name).toLowerCase());
  return format;
}

/**
 * Looks at the size and the beginning of a file, without reading the rest.
 * @param name as the user knows the file
 * @throws CorralError FILE_NOT_FOUND, EMPTY_FILE, FILE_TOO_LARGE, UNSUPPORTED_FILE_TYPE, FILE_UNREADABLE
 */
export async function inspectFile(
  path: string,
  name = basename(path),
): Promise<{ format: DocumentFormat; bytes: number }> {
  try {
    await using file = await open(path, "r");
    const status = await file.stat();
    if (!status.isFile()) throw notAFile(name);
    const format = requireFormat(name);
    if (status.size === 0) throw emptyFile(name);
    if (status.size > largestFile) throw tooLarge(name, status.size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const wrong = contradiction(format, buffer.subarray(0, bytesRead));
    if (wrong) throw unreadableFile(name, wrong);
    return { format, bytes: status.size };
  } catch (error) {
    throw fileSystemError(name, error) as CorralError;
  }
}

/** SHA-256 of a file's content, hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const options = { highWaterMark: hashChunkBytes, ...(signal && { signal }) };
  try {
    for await (const chunk of createReadStream(path, options)) hash.update(chunk as Buffer);
  } catch (error) {
    throw fileSystemError(basename(path), error);
  }
  return hash.digest("hex");
}
