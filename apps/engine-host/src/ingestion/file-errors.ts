import { CorralError } from "@corral/protocol";
import { largestFile, supportedFileTypes } from "./file-types.ts";
import type { FailureReason } from "./worker-channel.ts";

/** The sentences said about one file that is not taken or could not be read. `file`: its name as the user knows it. */

export function unsupportedType(file: string, type: string): CorralError {
  const supported = supportedFileTypes;
  const known =
    "PDF, Office and OpenDocument files, RTF, EPUB, web pages, Markdown, text, CSV, JSON, mail, source code, pictures of text (PNG, JPEG, TIFF, BMP) and ZIP archives of these";
  const what = type === "" ? "has no ending that tells its type" : `is of a type that can't be read (${type})`;
  return new CorralError("UNSUPPORTED_FILE_TYPE", `${file} ${what}; Corral reads ${known}.`, { file, type, supported });
}

export function otherPictureFile(file: string): CorralError {
  const reason = "it is a picture of a kind that can't be read; save it as PNG or JPEG and add that";
  return unreadableFile(file, reason);
}

/** What could not be read of a document that was read otherwise. */
export function partlyRead(file: string, parts: string[]): CorralError {
  const message = `${file} was read, except for ${parts.join(", ")}.`;
  return new CorralError("FILE_PARTLY_READ", message, { file, parts });
}

export function notAFile(file: string): CorralError {
  const supported = supportedFileTypes;
  const message = `${file} is neither a file nor a folder, so there is nothing to read.`;
  return new CorralError("UNSUPPORTED_FILE_TYPE", message, { file, type: "special", supported });
}

export function emptyFile(file: string): CorralError {
  return new CorralError("EMPTY_FILE", `${file} is empty (0 bytes); check the original and add it again.`, { file });
}

function notFound(file: string): CorralError {
  return new CorralError("FILE_NOT_FOUND", `${file} is not there (any more); check its place and add it again.`, {
    file,
  });
}

export function emptyFolder(file: string): CorralError {
  return new CorralError("FILE_NOT_FOUND", `The folder ${file} holds no files; hidden ones are left out.`, { file });
}

/** A followed folder without files that had some before. */
export function folderEmptied(folder: string): CorralError {
  const message = `${folder} is empty all of a sudden, as a share that is offline; its documents are kept until its files are back. If it is meant to be empty, stop following it and remove its documents.`;
  return new CorralError("FILE_NOT_FOUND", message, { file: folder });
}

export function notAFolder(path: string): CorralError {
  const reason = `${path} is not a folder; only folders can be followed.`;
  return new CorralError("INVALID_INPUT", reason, { field: "path", reason });
}

export function tooLarge(file: string, bytes: number): CorralError {
  const message = `${file} is larger than the ${largestFile / 2 ** 20} MiB Corral reads; split it and add the parts.`;
  return new CorralError("FILE_TOO_LARGE", message, { file, bytes, limitBytes: largestFile });
}

/** @param reason what is wrong; when it says what to do as well, that follows a semicolon */
export function unreadableFile(file: string, reason: string, cause?: unknown): CorralError {
  const options = cause === undefined ? undefined : { cause };
  const remedy = reason.includes(";") ? "" : "; check the original and add it again";
  return new CorralError("FILE_UNREADABLE", `${file} can't be read: ${reason}${remedy}.`, { file, reason }, options);
}

export function changedFile(file: string): CorralError {
  const message = `${file} was changed after it was added; add it again to read the new version.`;
  return new CorralError("FILE_NOT_FOUND", message, { file });
}

const limitSentences = {
  time: "took too long to read and was given up; try it in smaller parts",
  memory: "needs too much memory to read and was given up; try it in smaller parts",
  output: "holds more than Corral reads from one file; split it and add the parts",
} as const;

/** What the ingestion worker reported, as a sentence about the file. */
export function readingError(file: string, reason: FailureReason): CorralError {
  switch (reason.kind) {
    case "unreadable":
      return unreadableFile(file, reason.reason);
    case "password-protected": {
      const message = `${file} is protected by a password; save a copy without one and add that.`;
      return new CorralError("FILE_PASSWORD_PROTECTED", message, { file });
    }
    case "without-text": {
      const remedy = !reason.scanned
        ? "; check the original and add it again"
        : reason.recognition
          ? ", and none could be recognised in its pictures; add a sharper scan, or the data of its language (corral docs ocr-languages)"
          : ": it looks scanned, and there is no data for text recognition here (corral docs ocr-languages says how to add it)";
      return new CorralError("FILE_WITHOUT_TEXT", `${file} holds no text to read${remedy}.`, { file });
    }
    case "limit":
      return new CorralError("PARSE_LIMIT", `${file} ${limitSentences[reason.limit]}.`, { file, limit: reason.limit });
  }
}

/** A failure of the file system, as a sentence about the file. Anything else is a bug and is passed on. */
export function fileSystemError(file: string, error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case "ENOENT":
    case "ENOTDIR":
      return notFound(file);
    case "EACCES":
    case "EPERM":
      return unreadableFile(file, "Corral has no permission to open it; allow it and add the file again", error);
    case "ELOOP":
    case "ENAMETOOLONG":
    case "EIO":
    case "EISDIR":
      return unreadableFile(file, "the file system does not give it out", error);
    default:
      return error;
  }
}
