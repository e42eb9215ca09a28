import type { Losses } from "../losses.ts";
import { unreadable } from "../parse-failure.ts";
import { readBmp } from "./bmp.ts";
import { readJpeg } from "./jpeg.ts";
import type { Picture } from "./picture.ts";
import { toPdf } from "./picture-pdf.ts";
import { readPng } from "./png.ts";
import { readTiff } from "./tiff.ts";

/**
 * A picture (PNG, JPEG, TIFF, BMP) as a PDF with a page for each picture in it, so that it is recognised, shown and marked as
 * any scanned page. What kind it is, its first bytes tell.
 * @throws ParseFailure
 */
export async function pictureToPdf(bytes: Buffer, maxPages: number, losses?: Losses): Promise<Buffer> {
  const pictures = await read(bytes, maxPages);
  if (pictures.some((picture) => picture.cutShort)) losses?.add("the end of the picture", "missing in the file");
  return toPdf(pictures);
}

async function read(bytes: Buffer, maxPages: number): Promise<Picture[]> {
  const head = bytes.toString("latin1", 0, 4);
  if (head === "\x89PNG") return [await readPng(bytes)];
  if (head.startsWith("\xff\xd8")) return [readJpeg(bytes)];
  if (head === "II*\0" || head === "MM\0*") return readTiff(bytes, maxPages);
  if (head.startsWith("BM")) return [readBmp(bytes)];
  throw unreadable("it is damaged or no PNG, JPEG, TIFF or BMP picture");
}
