import { open } from "node:fs/promises";
import { LiteParse, type ParsedPage } from "@llamaindex/liteparse";
import type { ReadLimits } from "../ingestion/worker-channel.ts";
import type { DocumentPart } from "./document-part.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { type DocumentStyle, mayBeRunning, type RowedPage, rowText, runningKey, writePages } from "./pdf-blocks.ts";
import { type Fonts, learnFonts } from "./pdf-fonts.ts";
import { toRowedPage } from "./pdf-items.ts";
import { mayBeScanned } from "./recognition.ts";
import { type ScanOptions, Scans } from "./scans.ts";
import { hasTurnedText, mendTurnedText } from "./turned-text.ts";

/** Pages parsed at once: enough that reopening the file costs little, few enough for smooth progress and little memory. */
const batchPages = 100;
/** Batches that wait for a closer look at some of their pages. */
const heldBatches = 3;
/** Characters of a page's name. */
const longestLabel = 40;
/** A line at the edge of this many pages is a running head. */
const runningPages = 3;

const headBytes = 1024;

/** Reading and drawing need no OCR; recognition.ts alone turns it on, page by page. The parser prints nothing. */
const quiet = { ocrEnabled: false, quiet: true } as const;

export interface PdfOptions extends ScanOptions {
  limits: Pick<ReadLimits, "pages" | "recognisedPages">;
}

interface Batch {
  startPage: number;
  endPage: number;
  totalPages: number;
  pages: ParsedPage[];
}

/**
 * Reads a PDF in batches of pages, with the box of each line in points from the top left of the page. Pages that are
 * pictures of text are recognised. A part without pages tells of progress only.
 * A file's name must end in ".pdf" (the parser tries converters for any other ending); or it lies in memory.
 * @throws ParseFailure
 */
export async function* parsePdf(file: string | Buffer, options: PdfOptions): AsyncGenerator<DocumentPart> {
  await checkPdfHeader(file);
  const maxPages = options.limits.pages;
  try {
    const fonts = await learnFonts(file);
    const reading = new Reading(file, options, fonts);
    const parser = new LiteParse({
      ...quiet,
      ...{ maxPages: maxPages + 1, extractTextMetadata: !fonts.isRegular, outputFormat: "text" },
    });
    const held: Batch[] = [];
    for await (const { result, startPage, endPage, totalPages } of parser.parseBatches(file, {
      batchSize: batchPages,
    })) {
      if (totalPages > maxPages) throw new ParseFailure({ kind: "limit", limit: "output" });
      held.push({ pages: result.pages, startPage, endPage, totalPages });
      // Looking closer at some pages opens the file again, so pages wait for each other.
      const isWaiting = held.some(({ pages }) => pages.some((page) => mayBeScanned(page) || hasTurnedText(page)));
      if (isWaiting && held.length < heldBatches && endPage < totalPages) continue;
      yield* reading.finish(held.splice(0));
    }
    yield* reading.finish(held);
    reading.report();
  } catch (error) {
    throw explain(error);
  }
}

/** What has been read of a document so far. */
class Reading {
  readonly #file: string | Buffer;
  readonly #fonts: Fonts;
  readonly #scans: Scans;
  readonly #style = new StyleLearner();

  constructor(file: string | Buffer, options: PdfOptions, fonts: Fonts) {
    this.#file = file;
    this.#fonts = fonts;
    this.#scans = new Scans(file, options);
  }

  /** Completes batches that follow each other. */
  async *finish(batches: Batch[]): AsyncGenerator<DocumentPart> {
    const all = batches.flatMap((batch) => batch.pages);
    const [first, last] = [batches[0], batches.at(-1)];
    if (!first || !last) return;
    const total = Math.max(1, last.totalPages);
    for await (const { share, recognised } of this.#scans.recognise(all)) {
      const done = first.startPage - 1 + share * (last.endPage - first.startPage + 1);
      yield { pages: [], blocks: [], recognised, progress: done / total };
    }
    await mendTurnedText(this.#file, all);
    let from = 0;
    for (const batch of batches) {
      const parsed = all.slice(from, (from += batch.pages.length));
      const pages = parsed.map((page) => toRowedPage(page, this.#fonts));
      const part = writePages(pages, this.#style.learn(pages));
      const labels = new Map(parsed.map((page) => [page.pageNum, page.pageLabel?.trim()]));
      for (const page of part.pages) {
        const label = labels.get(page.page);
        if (label && label !== String(page.page)) page.label = label.slice(0, longestLabel);
      }
      yield { ...part, progress: batch.endPage / total };
    }
  }

  report(): void {
    this.#scans.report();
  }
}

/** Draws one page as PNG. `scale` 1 = 72 dots per inch. */
export async function renderPdfPage(file: string | Buffer, page: number, scale: number): Promise<Uint8Array> {
  await checkPdfHeader(file);
  try {
    const drawn = await new LiteParse({ ...quiet, dpi: 72 * scale }).screenshot(file, [page]);
    if (drawn[0]) return drawn[0].imageBuffer;
  } catch (error) {
    throw explain(error);
  }
  throw unreadable(`it has no page ${page}`);
}

/** Readers accept blank or other bytes before the header, within the first kilobyte. */
async function checkPdfHeader(file: string | Buffer): Promise<void> {
  const head = typeof file === "string" ? await readHead(file) : file.subarray(0, headBytes);
  if (!head.includes("%PDF-")) throw unreadable("it is not a PDF");
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.subarray(0, bytesRead);
}

function explain(error: unknown): unknown {
  if (error instanceof ParseFailure || !(error instanceof Error)) return error;
  if (/password/i.test(error.message)) return new ParseFailure({ kind: "password-protected" }, { cause: error });
  return unreadable("it is damaged or cut short", error);
}

/** Learns from each batch of pages what the running text of the document looks like. */
class StyleLearner {
  readonly #sizes = new Map<number, number>();
  readonly #edges = new Map<string, number>();
  readonly #hyphenated = new Set<string>();

  learn(pages: RowedPage[]): DocumentStyle {
    for (const item of pages.flatMap((page) => page.rows.flatMap((row) => row.cells))) {
      const size = Math.round(item.fontSize * 2) / 2;
      this.#sizes.set(size, (this.#sizes.get(size) ?? 0) + item.text.length);
      for (const [word] of item.text.matchAll(/\p{L}{2,}-\p{Ll}+/gu)) this.#hyphenated.add(word.toLowerCase());
    }
    const bodySize = [...this.#sizes].reduce((best, each) => (each[1] > best[1] ? each : best), [12, 0])[0] || 12;
    for (const page of pages) {
      const keys = page.rows.filter((row) => mayBeRunning(row, page, bodySize)).map((row) => runningKey(rowText(row)));
      for (const key of new Set(keys)) this.#edges.set(key, (this.#edges.get(key) ?? 0) + 1);
    }
    const running = new Set([...this.#edges].filter(([, count]) => count >= runningPages).map(([key]) => key));
    return { bodySize, running, hyphenated: this.#hyphenated };
  }
}
