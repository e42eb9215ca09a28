import { readFile, stat } from "node:fs/promises";
import type { DocumentFormat } from "@corral/protocol";
import type { FromWorker, ReadLimits } from "../ingestion/worker-channel.ts";
import { detectLanguage } from "../store/language.ts";
import type { LooseBlock } from "./block.ts";
import { createChunker, type Chunker } from "./chunker.ts";
import type { DocumentPart } from "./document-part.ts";
import { parseDocx } from "./docx.ts";
import { declaredCharset, parseHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import { ParseFailure } from "./parse-failure.ts";
import { parsePdf } from "./pdf.ts";
import { parsePlainText } from "./plain-text.ts";
import { layOutSections } from "./sections.ts";
import { decodeText } from "./text-encoding.ts";

/** Characters of text from the beginning of a document that its language is told by. */
const languageSample = 20_000;

type Outcome = Extract<FromWorker, { type: "part" | "read" }>;

/**
 * Reads a document: its pages and chunks part by part, then its title and language.
 * @throws ParseFailure
 */
export async function* readDocument(
  path: string,
  format: DocumentFormat,
  limits: ReadLimits,
): AsyncGenerator<Outcome, void> {
  const source = format === "pdf" ? readPdf(path, limits) : await readWhole(path, format, limits);
  let chunker: Chunker | null = null;
  let language: string | null = null;
  let title = source.title;
  let characters = 0;
  let hasText = false;
  for await (const part of source.parts) {
    if (!chunker) {
      language = detectLanguage(sampleOf(part));
      chunker = createChunker({ language, paged: format === "pdf" });
    }
    title ??= titleOnFirstPage(part);
    characters += part.pages.reduce((sum, page) => sum + page.text.length, 0);
    if (characters > limits.characters) throw new ParseFailure({ kind: "limit", limit: "output" });
    hasText ||= part.pages.some((page) => /[\p{L}\p{N}]/u.test(page.text));
    const chunks = chunker.push(part.blocks);
    yield { type: "part", pages: part.pages, chunks, progress: part.progress };
  }
  if (!chunker || !hasText) throw new ParseFailure({ kind: "without-text" });
  yield { type: "part", pages: [], chunks: chunker.finish(), progress: 1 };
  yield { type: "read", title, language, paged: format === "pdf" };
}

interface Source {
  title: string | null;
  parts: AsyncIterable<DocumentPart> | Iterable<DocumentPart>;
}

function readPdf(path: string, limits: ReadLimits): Source {
  return { title: null, parts: parsePdf(path, limits.pages) };
}

async function readWhole(path: string, format: Exclude<DocumentFormat, "pdf">, limits: ReadLimits): Promise<Source> {
  if ((await stat(path)).size > limits.fileBytes) throw new ParseFailure({ kind: "limit", limit: "output" });
  const bytes = await readFile(path);
  const { title, blocks } = await parse(bytes, format, limits);
  return { title, parts: layOutSections(blocks) };
}

async function parse(
  bytes: Buffer,
  format: Exclude<DocumentFormat, "pdf">,
  limits: ReadLimits,
): Promise<{ title: string | null; blocks: LooseBlock[] }> {
  switch (format) {
    case "docx":
      return parseDocx(bytes, limits.unpackedBytes);
    case "html":
      return parseHtml(decodeText(bytes, declaredCharset(bytes)));
    case "markdown":
      return parseMarkdown(decodeText(bytes));
    case "text":
      return { title: null, blocks: parsePlainText(decodeText(bytes)) };
  }
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
