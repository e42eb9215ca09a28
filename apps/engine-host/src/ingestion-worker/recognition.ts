import { access } from "node:fs/promises";
import { join } from "node:path";
import { LiteParse, type PageComplexityStats, type ParsedPage } from "@llamaindex/liteparse";
import type { Recognition } from "../ingestion/worker-channel.ts";

/** Dots per inch that pages are drawn at for recognition: small print keeps its shape, a page takes under a second. */
const recognitionDpi = 200;
/** A larger page is drawn coarser: an A3 page at 300 dpi has 17 million. Pixels. */
const mostPixels = 20_000_000;
/** What Tesseract is less sure of than this is more often a speck than a word. 0..1 */
const leastConfidence = 0.4;
/** A page with more letters and digits than this has its text already, whatever pictures it shows. */
const enoughText = 200;
/** More than this share of characters without meaning tells of a font that says nothing about its letters. */
const garbledShare = 0.2;

/** Data of all languages must be there: without it liteparse asks the network for it, which must never happen. */
export async function isInstalled(recognition: Recognition): Promise<boolean> {
  const files = recognition.languages.map((name) => access(join(recognition.directory, `${name}.traineddata`)));
  return (
    recognition.languages.length > 0 && (await Promise.allSettled(files)).every((each) => each.status === "fulfilled")
  );
}

/** True for a page whose own text is so little, or so strange, that its picture may hold the real one. */
export function mayBeScanned(page: ParsedPage): boolean {
  const text = page.textItems.map((item) => item.text).join("");
  if (text.length > enoughText) {
    const strange = text.match(/[\ufffd\ue000-\uf8ff\0-\x08]/g)?.length ?? 0;
    return strange > text.length * garbledShare;
  }
  return true;
}

/** Which of these pages (numbers from 1) show their text as a picture. Takes some milliseconds a page. */
export async function scannedPages(file: string | Buffer, candidates: number[]): Promise<number[]> {
  if (candidates.length === 0) return [];
  const parser = new LiteParse({
    ...{ ocrEnabled: false, quiet: true, includeComplexity: true, outputFormat: "text" },
    targetPages: candidates.join(","),
  });
  const { pages } = await parser.parse(file);
  return pages.filter((page) => page.complexity && isScanned(page.complexity)).map((page) => page.pageNum);
}

function isScanned(page: PageComplexityStats): boolean {
  if (!page.needsOcr) return false;
  return page.fullPageImage || page.hasSubstantialImages || page.isGarbled || page.reasons.includes("vector-text");
}

/**
 * Recognises the text of one page: what the PDF says itself, and what is read from the picture where it says nothing.
 * @throws when Tesseract cannot work with the language data
 */
export async function recognisePage(
  file: string | Buffer,
  page: { pageNum: number; width: number; height: number },
  recognition: Recognition,
): Promise<ParsedPage | null> {
  const inches = (page.width / 72) * (page.height / 72);
  const dpi = Math.max(20, Math.min(recognitionDpi, Math.floor(Math.sqrt(mostPixels / Math.max(inches, 1e-3)))));
  const parser = new LiteParse({
    ...{ ocrEnabled: true, ocrFailureFatal: true, numWorkers: 1, quiet: true, outputFormat: "text" },
    ...{ extractTextMetadata: true, targetPages: String(page.pageNum), dpi },
    tessdataPath: recognition.directory,
    ocrLanguage: recognition.languages.join("+"),
  });
  const { pages } = await parser.parse(file);
  const found = pages[0];
  if (!found) return null;
  return { ...found, textItems: found.textItems.filter((item) => (item.confidence ?? 1) >= leastConfidence) };
}
