import { type FileHandle, open } from "node:fs/promises";
import type { DocumentFormat } from "@corral/protocol";
import type { FromWorker, ToWorker } from "../ingestion/worker-channel.ts";
import { detectLanguage } from "../store/language.ts";
import { parseArchive } from "./archive.ts";
import type { ParsedDocument } from "./block.ts";
import { createChunker, type Chunker } from "./chunker.ts";
import { Container } from "./container.ts";
import type { DocumentPart } from "./document-part.ts";
import { Losses } from "./losses.ts";
import { parseMailbox } from "./mailbox.ts";
import { parseBytes } from "./parse-bytes.ts";
import { ParseFailure } from "./parse-failure.ts";
import { parsePdf, type PdfOptions } from "./pdf.ts";
import { pictureToPdf } from "./pictures/read-picture.ts";
import { layOutSections } from "./sections.ts";

/** Characters of text from the beginning of a document that its language is told by. */
const languageSample = 20_000;
/** Read of a mailbox at once. */
const mailboxBytes = 1 << 20;

type Outcome = Extract<FromWorker, { type: "part" | "read" }>;

/**
 * Reads a document: its pages and chunks part by part, then its title and language.
 * @throws ParseFailure
 */
export async function* readDocument(
  job: Omit<Extract<ToWorker, { type: "read" }>, "type">,
): AsyncGenerator<Outcome, void> {
  const { path, format, limits, recognition } = job;
  const losses = new Losses();
  const pdf: PdfOptions = { limits, recognition, losses };
  const paged = format === "pdf" || format === "image";
  await using file = await open(path);
  const source: Source =
    format === "pdf"
      ? { title: null, parts: parsePdf(path, pdf) }
      : format === "image"
        ? {
            title: null,
            parts: parsePdf(await pictureToPdf(await whole(file, limits.fileBytes), limits.pages, losses), pdf),
          }
        : inSections(await parse(file, format, new Container(limits, losses, recognition)));
  let chunker: Chunker | null = null;
  let language: string | null = null;
  let title = source.title;
  let characters = 0;
  let hasText = false;
  for await (const part of source.parts) {
    if (part.pages.length === 0) {
      yield { type: "part", pages: [], chunks: [], progress: part.progress, recognised: part.recognised ?? 0 };
      continue;
    }
    if (!chunker) {
      language = detectLanguage(sampleOf(part));
      chunker = createChunker({ language, paged });
    }
    title ??= titleOnFirstPage(part);
    characters += part.pages.reduce((sum, page) => sum + page.text.length, 0);
    if (characters > limits.characters) throw new ParseFailure({ kind: "limit", limit: "output" });
    hasText ||= part.pages.some((page) => /[\p{L}\p{N}]/u.test(page.text));
    const chunks = chunker.push(part.blocks);
    yield { type: "part", pages: part.pages, chunks, progress: part.progress, recognised: part.recognised ?? 0 };
  }
  if (!chunker || !hasText) {
    throw new ParseFailure({ kind: "without-text", scanned: paged, recognition: recognition !== null });
  }
  yield { type: "part", pages: [], chunks: chunker.finish(), progress: 1, recognised: 0 };
  yield { type: "read", title, language, paged, losses: losses.list() };
}

interface Source {
  title: string | null;
  parts: AsyncIterable<DocumentPart>;
}

function inSections({ title, blocks, progress }: ParsedDocument): Source {
  const total = Array.isArray(blocks) ? blocks.length : 1;
  return { title, parts: layOutSections(blocks, progress ?? ((handled) => Math.min(1, handled / total))) };
}

/** Archives and mailboxes are read piece by piece, everything else lies in memory as a whole. */
async function parse(file: FileHandle, format: DocumentFormat, container: Container): Promise<ParsedDocument> {
  const { size } = await file.stat();
  if (format === "archive") return parseArchive(file, container);
  if (format === "mailbox") {
    return parseMailbox(file.createReadStream({ autoClose: false, highWaterMark: mailboxBytes }), size, container);
  }
  return parseBytes(await whole(file, container.limits.fileBytes), format, container);
}

/** A file as a whole in memory. */
async function whole(file: FileHandle, mostBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  if (size > mostBytes) throw new ParseFailure({ kind: "limit", limit: "output" });
  return file.readFile();
}

function sampleOf(part: DocumentPart): string {
  let sample = "";
  for (const page of part.pages) {
    sample += page.text;
    if (sample.length >= languageSample) break;
  }
  return sample.slice(0, languageSample);
}

/** A PDF says its title where people look for it: the largest heading of its first page. */
function titleOnFirstPage(part: DocumentPart): string | null {
  const headings = part.blocks.filter((block) => block.kind === "heading" && block.spans[0]?.page === 1);
  const top = headings.toSorted((a, b) => a.level - b.level)[0];
  return top && top.level <= 2 ? top.text.trim() : null;
}
