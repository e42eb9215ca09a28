import { open } from "node:fs/promises";
import { LiteParse, type ParsedPage } from "@llamaindex/liteparse";
import type { DocumentPart } from "./document-part.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { type DocumentStyle, mayBeRunning, type RowedPage, rowText, runningKey, writePages } from "./pdf-blocks.ts";
import { readingOrder, type TextItem } from "./pdf-lines.ts";

/** Pages parsed at once: enough that reopening the file costs little, few enough for smooth progress and little memory. */
const batchPages = 50;
/** A line at the edge of this many pages is a running head. */
const runningPages = 3;

const headBytes = 1024;

/** OCR stays off: it would look for language data on the network. The parser prints nothing. */
const quiet = { ocrEnabled: false, quiet: true } as const;

/**
 * Reads a PDF in batches of pages, with the box of each line in points from the top left of the page.
 * A file's name must end in ".pdf" (the parser tries converters for any other ending); or it lies in memory.
 * @throws ParseFailure
 */
export async function* parsePdf(file: string | Buffer, maxPages: number): AsyncGenerator<DocumentPart> {
  await checkPdfHeader(file);
  const parser = new LiteParse({ ...quiet, maxPages: maxPages + 1, extractTextMetadata: true, outputFormat: "text" });
  const learned = new StyleLearner();
  try {
    for await (const batch of parser.parseBatches(file, { batchSize: batchPages })) {
      if (batch.totalPages > maxPages) throw new ParseFailure({ kind: "limit", limit: "output" });
      const pages = batch.result.pages.map(toRowedPage);
      const part = writePages(pages, learned.learn(pages));
      yield { ...part, progress: batch.endPage / Math.max(1, batch.totalPages) };
    }
  } catch (error) {
    throw explain(error);
  }
}

/** Draws one page as PNG. `scale` 1 = 72 dots per inch. */
export async function renderPdfPage(path: string, page: number, scale: number): Promise<Uint8Array> {
  await checkPdfHeader(path);
  try {
    const drawn = await new LiteParse({ ...quiet, dpi: 72 * scale }).screenshot(path, [page]);
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
  const items = page.textItems.map(toTextItem).filter((item) => item.text !== "" && item.width > 0 && item.height > 0);
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
