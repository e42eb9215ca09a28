import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PDFDocument, type PDFFont, StandardFonts } from "pdf-lib";
import { median, progress, report, round, type Table } from "./report.ts";
import { serveHost } from "./served-host.ts";
import { SyntheticText } from "./synthetic-text.ts";

const documents = 3;
const pagesPerDocument = 300;
/** A4, points. */
const pageSize: [number, number] = [595, 842];
const margin = 56;
const fontSize = 10;
const lineHeight = 13;

/** The lines a paragraph fills. */
function wrap(words: string[], font: PDFFont, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (font.widthOfTextAtSize(longer, fontSize) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** A manual: on each page a heading and paragraphs over the whole page, about 450 words. */
export async function writeManual(path: string, text: SyntheticText, pages = pagesPerDocument): Promise<void> {
  const document = await PDFDocument.create();
  const body = await document.embedFont(StandardFonts.TimesRoman);
  const bold = await document.embedFont(StandardFonts.HelveticaBold);
  for (let number = 1; number <= pages; number++) {
    const page = document.addPage(pageSize);
    const topic = text.topic();
    let y = pageSize[1] - margin;
    page.drawText(`${number} ${text.topicWord(topic)} ${text.topicWord(topic)}`, {
      x: margin,
      y,
      size: 15,
      font: bold,
    });
    y -= 2 * lineHeight;
    while (y > margin + 4 * lineHeight) {
      for (const line of wrap(text.chunk(topic).slice(0, 90), body, pageSize[0] - 2 * margin)) {
        if (y < margin) break;
        page.drawText(line, { x: margin, y, size: fontSize, font: body });
        y -= lineHeight;
      }
      y -= lineHeight;
    }
  }
  writeFileSync(path, await document.save());
}

/** Adds the files to a new library and waits until all can be searched. Answers ms. */
async function ingest(paths: string[]): Promise<{ ms: number; chunks: number }> {
  await using host = await serveHost();
  await using session = await host.connect();
  const { client } = session;
  const { id: collectionId } = await client.library.createCollection({ name: "Manuals" });
  const watching = new AbortController();
  const events = await client.library.watch(undefined, { signal: watching.signal });
  const start = performance.now();
  const waiting = new Set(paths);
  let chunks = 0;
  await client.library.addPaths({ collectionId, paths });
  for await (const event of events) {
    const changed = event.type === "snapshot" ? event.documents : event.type === "document" ? [event.document] : [];
    for (const { name, state, error, chunkCount } of changed) {
      if (state === "failed") throw new Error(`${name}: ${error?.message}`);
      const path = paths.find((candidate) => candidate.endsWith(`/${name}`));
      if (state === "ready" && path && waiting.delete(path)) chunks += chunkCount ?? 0;
    }
    if (waiting.size === 0) break;
  }
  const ms = performance.now() - start;
  watching.abort();
  return { ms, chunks };
}

/** `npm run bench -- ingest [ROUNDS]`: pages per second from adding PDFs to finding their text, against the parser alone. */
export async function run([rounds = "3"]: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "corral-bench-ingest-"));
  try {
    progress("Writing the documents …");
    const text = new SyntheticText(13_579);
    const paths = Array.from({ length: documents }, (_, index) => join(folder, `manual-${index + 1}.pdf`));
    for (const path of paths) await writeManual(path, text);
    const pages = documents * pagesPerDocument;
    const whole: { ms: number; chunks: number }[] = [];
    const bare: number[] = [];
    for (let index = 0; index < Number(rounds); index++) {
      whole.push(await ingest(paths));
      const printed = execFileSync(process.execPath, [join(import.meta.dirname, "bare-parse.ts"), ...paths], {
        encoding: "utf8",
      });
      const parsed = JSON.parse(printed) as { pages: number; ms: number };
      if (parsed.pages !== pages) throw new Error(`liteparse found ${parsed.pages} of ${pages} pages.`);
      bare.push(parsed.ms);
      progress(`  round ${index + 1}`);
    }
    const rate = (milliseconds: number[]) => round((pages / median(milliseconds)) * 1000, 0);
    const table: Table = [
      { what: "read, chunked, indexed, on disk", "pages/s": rate(whole.map(({ ms }) => ms)), chunks: whole[0]!.chunks },
      { what: "liteparse alone", "pages/s": rate(bare), chunks: "-" },
    ];
    report("ingest", { [`${documents} PDFs of ${pagesPerDocument} pages`]: table }, {});
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
