import { extname } from "node:path";
import type { DocumentFormat } from "@corral/protocol";

/** Source code and what programs are set up with, read as text. */
const codeEndings =
  "c h cc cpp cxx hpp cs java kt kts scala go rs swift m mm py rb php pl lua r jl dart ex exs erl hs clj fs ml sql sh bash zsh " +
  "ps1 bat js jsx mjs cjs ts tsx mts cts vue svelte css scss less xml svg yaml yml toml ini conf cfg properties env gradle " +
  "cmake proto graphql tf tex rst adoc org log diff patch";

const formats: Readonly<Record<string, DocumentFormat>> = {
  ...{ ".pdf": "pdf", ".docx": "docx", ".pptx": "pptx", ".xlsx": "xlsx" },
  ...{ ".odt": "odt", ".odp": "odp", ".ods": "ods", ".rtf": "rtf", ".epub": "epub" },
  ...{ ".html": "html", ".htm": "html", ".xhtml": "html", ".md": "markdown", ".markdown": "markdown", ".txt": "text" },
  ...{ ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json" },
  ...{ ".eml": "mail", ".mbox": "mailbox", ".zip": "archive" },
  ...{ ".png": "image", ".jpg": "image", ".jpeg": "image", ".tif": "image", ".tiff": "image", ".bmp": "image" },
  ...Object.fromEntries(codeEndings.split(" ").map((ending) => [`.${ending}`, "code" as const])),
};

const otherPictures = new Set([".gif", ".webp", ".heic", ".heif", ".avif", ".jp2"]);

/** True for the name of a picture of a kind that Corral cannot draw, so that its text cannot be recognised either. */
export function isOtherPicture(name: string): boolean {
  return otherPictures.has(extname(name).toLowerCase());
}

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
  if (format === "image")
    return content === "a picture" || isBitmap(head)
      ? null
      : "it is no PNG, JPEG, TIFF or BMP picture, whatever its name says";
  const expected = packaged[format];
  if (expected) {
    // An encrypted Office file is a compound file, as an old one is; the worker tells them apart.
    const compound = content === "an old Office document" && !["epub", "archive"].includes(format);
    return content === "a zip archive or Office document" || compound
      ? null
      : `it is not ${expected}, whatever its name says`;
  }
  if (content === null || mayHoldAnything.has(format)) return null;
  return `it holds ${content}, not text; give the file its right ending`;
}

/** Two letters are too few to tell a bitmap from a text; its reserved bytes are zero. */
function isBitmap(head: Uint8Array): boolean {
  return head[0] === 0x42 && head[1] === 0x4d && head.subarray(6, 10).every((byte) => byte === 0);
}

const packaged: Partial<Record<DocumentFormat, string>> = {
  docx: "a Word document",
  pptx: "a PowerPoint presentation",
  xlsx: "an Excel workbook",
  odt: "an OpenDocument text",
  odp: "an OpenDocument presentation",
  ods: "an OpenDocument spreadsheet",
  epub: "an EPUB book",
  archive: "a zip archive",
};
/** A mail may quote the beginning of a PDF in its first kilobyte. */
const mayHoldAnything = new Set<DocumentFormat>(["mail", "mailbox"]);

const signatures: [content: string, bytes: number[]][] = [
  ["a zip archive or Office document", [0x50, 0x4b, 0x03, 0x04]],
  // An archive with nothing in it.
  ["a zip archive or Office document", [0x50, 0x4b, 0x05, 0x06]],
  ["an old Office document", [0xd0, 0xcf, 0x11, 0xe0]],
  ["a picture", [0x89, 0x50, 0x4e, 0x47]],
  ["a picture", [0xff, 0xd8, 0xff]],
  ["a picture of another kind", [0x47, 0x49, 0x46, 0x38]],
  ["a picture", [0x49, 0x49, 0x2a, 0x00]],
  ["a picture", [0x4d, 0x4d, 0x00, 0x2a]],
  ["a program", [0x7f, 0x45, 0x4c, 0x46]],
  ["a packed file", [0x1f, 0x8b, 0x08]],
];

function sniff(head: Uint8Array): string | null {
  // The header of a PDF may stand anywhere in the first kilobyte.
  if (Buffer.from(head.buffer, head.byteOffset, head.byteLength).includes("%PDF-")) return "a PDF";
  return signatures.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0] ?? null;
}
