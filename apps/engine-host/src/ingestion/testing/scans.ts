import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { PDFDocument } from "pdf-lib";
import { WorkerPool } from "../worker-pool.ts";
import { makePdf } from "./pdf-files.ts";

/** The text recognition data that ships with Corral. */
export const ocrData = join(import.meta.dirname, "../../../../../resources/ocr");

/** A page of text as a scanner sees it: a PNG, drawn at 200 dpi, in a worker as PDFs are read in no other process. */
export async function drawText(text: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "corral-scan-"));
  try {
    const path = join(folder, "page.pdf");
    await writeFile(path, await makePdf([text]));
    await using workers = new WorkerPool({ readers: 1 });
    const job = { type: "render", path, format: "pdf", page: 1, scale: 200 / 72 } as const;
    return Buffer.from(await workers.render(job, { timeoutMs: 60_000, signal: new AbortController().signal }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A PDF of pictures, one for each page, and nothing else. */
export async function makeScan(pictures: Buffer[]): Promise<Buffer> {
  const document = await PDFDocument.create();
  for (const picture of pictures) {
    const image = await document.embedPng(picture);
    document.addPage([595, 842]).drawImage(image, { x: 0, y: 0, width: 595, height: 842 });
  }
  return Buffer.from(await document.save());
}

/** The grey values of a PNG that `drawText` made, row by row. */
export function greyOf(png: Buffer): { width: number; height: number; pixels: Buffer } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const samples = png[25] === 6 ? 4 : 3;
  const pieces: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      pieces.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const data = inflateSync(Buffer.concat(pieces));
  const rowBytes = width * samples;
  const pixels = Buffer.alloc(width * height);
  let above = Buffer.alloc(rowBytes);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (rowBytes + 1)]!;
    const row = Buffer.from(data.subarray(y * (rowBytes + 1) + 1, (y + 1) * (rowBytes + 1)));
    for (let i = 0; i < rowBytes; i++) {
      const left = i >= samples ? row[i - samples]! : 0;
      const up = above[i]!;
      const corner = i >= samples ? above[i - samples]! : 0;
      const estimate = left + up - corner;
      const distances = [left, up, corner].map((value) => Math.abs(estimate - value));
      const nearest = [left, up, corner][distances.indexOf(Math.min(...distances))]!;
      row[i] = row[i]! + [0, left, up, (left + up) >> 1, nearest][filter]!;
    }
    above = row;
    for (let x = 0; x < width; x++) pixels[y * width + x] = row[x * samples]!;
  }
  return { width, height, pixels };
}
