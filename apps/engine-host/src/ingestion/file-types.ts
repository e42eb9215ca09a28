import { extname } from "node:path";
import type { DocumentFormat } from "@corral/protocol";

const formats: Readonly<Record<string, DocumentFormat>> = {
  ".pdf": "pdf",
  ".docx": "docx",
  ".html": "html",
  ".htm": "html",
  ".md": "markdown",
  ".markdown": "markdown",
  ".txt": "text",
};

/** The endings of file names that Corral reads, as shown to people. */
export const supportedFileTypes = Object.keys(formats);

/** The largest file that is read. Bytes. */
export const largestFile = 500 * 2 ** 20;

/** The format a file claims to have by the ending of its name; null for an ending Corral does not read. */
export function formatOf(name: string): DocumentFormat | null {
  return formats[extname(name).toLowerCase()] ?? null;
}

/** How many bytes of a file `contradiction` wants to see. */
export const headBytes = 1024;

/**
 * Compares the beginning of a file with the format its name claims. Answers what is wrong, completing the sentence
 * "NAME can't be read: …", or null when they fit. Damage further inside is found when the file is read.
 */
export function contradiction(format: DocumentFormat, head: Uint8Array): string | null {
  const content = sniff(head);
  if (format === "pdf") return content === "a PDF" ? null : "it is not a PDF, whatever its name says";
  if (format === "docx") {
    // An encrypted .docx is a compound file, as an old .doc is; the worker tells them apart.
    const possible = content === "a zip archive or Office document" || content === "an old Office document";
    return possible ? null : "it is not a Word document, whatever its name says";
  }
  return content === null ? null : `it holds ${content}, not text; give the file its right ending`;
}

const signatures: [content: string, bytes: number[]][] = [
  ["a zip archive or Office document", [0x50, 0x4b, 0x03, 0x04]],
  ["an old Office document", [0xd0, 0xcf, 0x11, 0xe0]],
  ["a picture", [0x89, 0x50, 0x4e, 0x47]],
  ["a picture", [0xff, 0xd8, 0xff]],
  ["a picture", [0x47, 0x49, 0x46, 0x38]],
  ["a program", [0x7f, 0x45, 0x4c, 0x46]],
  ["a packed file", [0x1f, 0x8b, 0x08]],
];

function sniff(head: Uint8Array): string | null {
  // The header of a PDF may stand anywhere in the first kilobyte.
  if (Buffer.from(head.buffer, head.byteOffset, head.byteLength).includes("%PDF-")) return "a PDF";
  return signatures.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? null;
}
