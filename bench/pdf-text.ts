/**
 * Reads PDFs with one parser in a process of its own: `node pdf-text.ts corral|liteparse|PATH-OF-PDFJS PDF…` prints the
 * pages, the ms they took, ms of processor time, the peak of resident memory in bytes, and the text if TEXT is set.
 */
import { readFile } from "node:fs/promises";
import { LiteParse } from "@llamaindex/liteparse";
import { Losses } from "../apps/engine-host/src/ingestion-worker/losses.ts";
import { parsePdf } from "../apps/engine-host/src/ingestion-worker/pdf.ts";

interface PdfJs {
  getDocument(options: object): {
    promise: Promise<{
      numPages: number;
      getPage(number: number): Promise<{ getTextContent(): Promise<{ items: { str?: string; hasEOL?: boolean }[] }> }>;
      cleanup(): Promise<void>;
    }>;
  };
}

const [parser = "", ...paths] = process.argv.slice(2);
const pdfjs = parser.endsWith(".mjs") ? ((await import(parser)) as PdfJs) : null;
const limits = { pages: 10_000, recognisedPages: 0 };
let pages = 0;
let text = "";
const start = performance.now();
const usage = process.cpuUsage();
for (const path of paths) {
  if (pdfjs) {
    const data = new Uint8Array(await readFile(path));
    const document = await pdfjs.getDocument({ data, isEvalSupported: false, verbosity: 0, useSystemFonts: true })
      .promise;
    for (let number = 1; number <= document.numPages; number++) {
      const { items } = await (await document.getPage(number)).getTextContent();
      text += `${items.map((item) => `${item.str ?? ""}${item.hasEOL ? "\n" : ""}`).join("")}\n`;
    }
    pages += document.numPages;
    await document.cleanup();
  } else if (parser === "liteparse") {
    const parsed = await new LiteParse({ ocrEnabled: false, quiet: true }).parse(path);
    pages += parsed.pages.length;
    text += parsed.text;
  } else {
    for await (const part of parsePdf(path, { limits, recognition: null, losses: new Losses() })) {
      pages += part.pages.length;
      for (const page of part.pages) text += page.text;
    }
  }
}
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(usage);
// Linux counts in KiB.
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({ pages, ms, cpuMs: (user + system) / 1000, peakBytes, ...(process.env["TEXT"] && { text }) }),
);
