import { open } from "node:fs/promises";
import { LiteParse, type ParsedPage } from "@llamaindex/liteparse";
import type { ReadLimits, Recognition } from "../ingestion/worker-channel.ts";
import type { DocumentPart } from "./document-part.ts";
import type { Losses } from "./losses.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { type DocumentStyle, mayBeRunning, type RowedPage, rowText, runningKey, writePages } from "./pdf-blocks.ts";
import { readingOrder, type TextItem } from "./pdf-lines.ts";
import { isInstalled, mayBeScanned, recognisePage, scannedPages } from "./recognition.ts";
import { straighten } from "./recognised-lines.ts";
import { mendTurnedText } from "./turned-text.ts";

/** Pages parsed at once: enough that reopening the file costs little, few enough for smooth progress and little memory. */
const batchPages = 50;
/** A line at the edge of this many pages is a running head. */
const runningPages = 3;

const headBytes = 1024;

/** Reading and drawing need no OCR; recognition.ts alone turns it on, page by page. The parser prints nothing. */
const quiet = { ocrEnabled: false, quiet: true } as const;

export interface PdfOptions {
  limits: Pick<ReadLimits, "pages" | "recognisedPages">;
  /** Null: scanned pages stay without text. */
  recognition: Recognition | null;
  /** Hears of scanned pages that stay without text. */
  losses: Losses;
}

/**
 * Reads a PDF in batches of pages, with the box of each line in points from the top left of the page. Pages that are
 * pictures of text are recognised. A part without pages tells of progress only.
 * A file's name must end in ".pdf" (the parser tries converters for any other ending); or it lies in memory.
 * @throws ParseFailure
 */
export async function* parsePdf(file: string | Buffer, options: PdfOptions): AsyncGenerator<DocumentPart> {
  const maxPages = options.limits.pages;
  await checkPdfHeader(file);
  const scans = new Scans(file, options);
  const parser = new LiteParse({ ...quiet, maxPages: maxPages + 1, extractTextMetadata: true, outputFormat: "text" });
  const learned = new StyleLearner();
  try {
    for await (const batch of parser.parseBatches(file, { batchSize: batchPages })) {
      if (batch.totalPages > maxPages) throw new ParseFailure({ kind: "limit", limit: "output" });
      const parsed = batch.result.pages;
      const total = Math.max(1, batch.totalPages);
      for await (const done of scans.recognise(parsed)) {
        yield { pages: [], blocks: [], recognised: done, progress: (batch.startPage - 1 + scans.doneOfBatch) / total };
      }
      await mendTurnedText(file, parsed);
      const pages = parsed.map(toRowedPage);
      const part = writePages(pages, learned.learn(pages));
      const labels = new Map(parsed.map((page) => [page.pageNum, page.pageLabel]));
      for (const page of part.pages) {
        const label = labels.get(page.page)?.trim();
        if (label && label !== String(page.page)) page.label = label.slice(0, 40);
      }
      yield { ...part, progress: batch.endPage / total };
    }
    scans.report();
  } catch (error) {
    throw explain(error);
  }
}

/** The pages of a document that are pictures of text: recognises them where it can, else remembers them. */
class Scans {
  readonly #file: string | Buffer;
  readonly #options: PdfOptions;
  readonly #lost: { page: number; reason: string }[] = [];
  #recognised = 0;
  /** Pages of the present batch that are done. */
  doneOfBatch = 0;

  constructor(file: string | Buffer, options: PdfOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Puts recognised pages in place of scanned ones; answers now and then how many were done. */
  async *recognise(pages: ParsedPage[]): AsyncGenerator<number, void> {
    this.doneOfBatch = 0;
    const candidates = pages.filter(mayBeScanned).map((page) => page.pageNum);
    const scanned = await scannedPages(this.#file, candidates);
    if (scanned.length === 0) return;
    const { recognition, limits } = this.#options;
    const most = limits.recognisedPages;
    if (!recognition || !(await isInstalled(recognition)))
      return this.#lose(scanned, "scanned, and there is no data for text recognition");
    const chosen = scanned.slice(0, Math.max(0, most - this.#recognised));
    this.#lose(scanned.slice(chosen.length), `scanned; only ${most} pages of one document are recognised`);
    yield 0;
    const waiting = [...chosen];
    const running = new Map<number, Promise<number>>();
    const work = async (pageNum: number): Promise<number> => {
      const at = pages.findIndex((page) => page.pageNum === pageNum);
      try {
        const found = await recognisePage(this.#file, pages[at]!, recognition);
        if (found) pages[at] = { ...found, pageLabel: pages[at]!.pageLabel! };
      } catch (error) {
        console.error(error);
        this.#lose([pageNum], "scanned, and its text could not be recognised");
      }
      return pageNum;
    };
    while (waiting.length > 0 || running.size > 0) {
      while (waiting.length > 0 && running.size < Math.max(1, recognition.threads)) {
        const pageNum = waiting.shift()!;
        running.set(pageNum, work(pageNum));
      }
      running.delete(await Promise.race(running.values()));
      this.#recognised++;
      this.doneOfBatch += pages.length / chosen.length;
      yield 1;
    }
  }

  /** Says which pages stay without text: neighbours with the same reason together. */
  report(): void {
    const lost = this.#lost.toSorted((a, b) => a.page - b.page);
    for (let i = 0; i < lost.length;) {
      const first = lost[i]!;
      let last = first.page;
      while (lost[++i]?.page === last + 1 && lost[i]!.reason === first.reason) last++;
      this.#options.losses.add(last === first.page ? `page ${last}` : `pages ${first.page} to ${last}`, first.reason);
    }
  }

  #lose(pages: number[], reason: string): void {
    for (const page of pages) this.#lost.push({ page, reason });
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

function toRowedPage(page: ParsedPage): RowedPage {
  const usable = (item: TextItem) => item.text !== "" && item.width > 0 && item.height > 0;
  const recognised = page.textItems.filter((item) => item.confidence !== undefined);
  const written = page.textItems.filter((item) => item.confidence === undefined);
  const items = [...written.map(toTextItem).filter(usable), ...straighten(recognised.map(toTextItem).filter(usable))];
  return { page: page.pageNum, width: page.width, height: page.height, rows: readingOrder(items, page) };
}

function toTextItem(item: ParsedPage["textItems"][number]): TextItem {
  const { x, y, width, height } = item;
  return {
    text: cleanItem(item.text),
    ...{ x, y, width, height },
    fontSize: item.fontHeight || item.fontSize || height,
    bold: (item.fontWeight ?? 0) >= 600 || /bold|black|heavy/i.test(item.fontName ?? ""),
    rotation: item.rotation ?? 0,
  };
}

const ligatures: Readonly<Record<string, string>> = {
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "st",
  ﬆ: "st",
};

/** PDFium writes a hyphen that divides a word as U+0002. */
function cleanItem(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\uFB00-\uFB06]/g, (ligature) => ligatures[ligature] ?? ligature)
    .replace(/[\u0002\u00ad]$/, "-")

    .replace(/[\0-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .toWellFormed();
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
