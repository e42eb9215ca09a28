import { Readable } from "node:stream";
import { createDeflate, createInflate } from "node:zlib";
import { unreadable } from "../parse-failure.ts";
import { type Picture, requireDrawable } from "./picture.ts";

interface Header {
  width: number;
  height: number;
  bits: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  colors: number;
}

/** Samples per pixel by colour type. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Reads a PNG. Its data goes into a PDF as it is, except for transparency, which is laid on white. What the data unpacks to
 * is counted against the size the file claims, never kept.
 */
export async function readPng(bytes: Buffer): Promise<Picture> {
  const { header, data, palette, dpi } = readChunks(bytes);
  const { width, height, bits, colors } = header;
  const perPixel = samples[colors]!;
  const rowBytes = 1 + Math.ceil((width * perPixel * bits) / 8);
  const picture = { width, height, dpi, orientation: 1 };
  if (colors === 4 || colors === 6) {
    const { packed, rows } = await onWhite(data, header, rowBytes);
    const dictionary = `/Filter /FlateDecode /ColorSpace ${colors === 4 ? "/DeviceGray" : "/DeviceRGB"} /BitsPerComponent 8`;
    return { ...picture, cutShort: rows < height, strips: [{ y: 0, height, data: packed, dictionary }] };
  }
  let unpacked = 0;
  for await (const piece of inflate(data)) {
    unpacked += piece.length;
    if (unpacked > rowBytes * height) throw unreadable("it is damaged: its data is more than its size says");
  }
  if (unpacked < rowBytes) throw unreadable("it is damaged or cut short");
  const space = {
    0: "/DeviceGray",
    2: "/DeviceRGB",
    3: `[/Indexed /DeviceRGB ${Math.floor(palette.length / 3) - 1} <${palette.toString("hex")}>]`,
  }[colors];
  if (colors === 3 && palette.length < 3) throw unreadable("it is damaged: its palette is missing");
  const predictor = `/DecodeParms << /Predictor 15 /Colors ${perPixel} /BitsPerComponent ${bits} /Columns ${width} >>`;
  const dictionary = `/Filter /FlateDecode ${predictor} /ColorSpace ${space} /BitsPerComponent ${bits}`;
  return { ...picture, cutShort: unpacked < rowBytes * height, strips: [{ y: 0, height, data, dictionary }] };
}

function readChunks(bytes: Buffer): { header: Header; data: Buffer; palette: Buffer; dpi: Picture["dpi"] } {
  let header: Header | null = null;
  const pieces: Buffer[] = [];
  let palette: Buffer = Buffer.alloc(0);
  let dpi: Picture["dpi"] = null;
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR" && content.length >= 13) header ??= readHeader(content);
    else if (type === "PLTE") palette = content.subarray(0, 768);
    else if (type === "pHYs" && content.length >= 9 && content[8] === 1) {
      dpi = { x: content.readUInt32BE(0) * 0.0254, y: content.readUInt32BE(4) * 0.0254 };
    } else if (type === "IDAT") pieces.push(content);
    else if (type === "IEND") break;
    at += 12 + length;
  }
  if (!header || pieces.length === 0) throw unreadable("it is damaged or not a PNG picture");
  return { header, data: Buffer.concat(pieces), palette, dpi };
}

function readHeader(content: Buffer): Header {
  const [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
  const [bits, colors, , , interlace] = content.subarray(8, 13) as unknown as number[];
  requireDrawable(width, height);
  if (samples[colors!] === undefined || ![1, 2, 4, 8, 16].includes(bits!)) {
    throw unreadable("it is damaged or not a PNG picture");
  }
  if (interlace !== 0) throw unreadable("it is an interlaced PNG; save it without interlacing and add that");
  return { width, height, bits: bits!, colors: colors! };
}

async function* inflate(data: Buffer): AsyncGenerator<Buffer, void> {
  try {
    for await (const piece of Readable.from([data]).pipe(createInflate())) yield piece as Buffer;
  } catch (error) {
    // Data that ends too early: what came until then is good.
    if ((error as NodeJS.ErrnoException).code !== "Z_BUF_ERROR") throw unreadable("it is damaged", error);
  }
}

/** Unpacks row by row, lays what is transparent on white, and packs again as 8 bits a sample. */
async function onWhite(data: Buffer, header: Header, rowBytes: number): Promise<{ packed: Buffer; rows: number }> {
  const { width, height, bits, colors } = header;
  const sampleBytes = bits / 8;
  if (sampleBytes < 1) throw unreadable("it is damaged or not a PNG picture");
  const visible = colors === 4 ? 1 : 3;
  const pixelBytes = (visible + 1) * sampleBytes;
  const deflate = createDeflate({ level: 1 });
  const packed: Buffer[] = [];
  deflate.on("data", (piece: Buffer) => packed.push(piece));
  const ended = new Promise((resolve) => deflate.once("end", resolve));
  let above: Buffer = Buffer.alloc(rowBytes - 1);
  let held: Buffer = Buffer.alloc(0);
  let rows = 0;
  for await (const piece of inflate(data)) {
    held = held.length > 0 ? Buffer.concat([held, piece]) : piece;
    let at = 0;
    for (; held.length - at >= rowBytes; at += rowBytes) {
      if (rows++ >= height) throw unreadable("it is damaged: its data is more than its size says");
      const row = unfilter(held[at]!, Buffer.from(held.subarray(at + 1, at + rowBytes)), above, pixelBytes);
      above = row;
      const out = Buffer.allocUnsafe(width * visible);
      for (let pixel = 0; pixel < width; pixel++) {
        const from = pixel * pixelBytes;
        const alpha = row[from + visible * sampleBytes]! / 255;
        for (let i = 0; i < visible; i++) out[pixel * visible + i] = 255 - alpha * (255 - row[from + i * sampleBytes]!);
      }
      if (!deflate.write(out)) await new Promise((resolve) => deflate.once("drain", resolve));
    }
    held = held.subarray(at);
  }
  if (rows === 0) throw unreadable("it is damaged or cut short");
  const white = Buffer.alloc(width * visible, 255);
  for (let row = rows; row < height; row++) {
    if (!deflate.write(white)) await new Promise((resolve) => deflate.once("drain", resolve));
  }
  deflate.end();
  await ended;
  return { packed: Buffer.concat(packed), rows };
}

/** Undoes the filter of a row (PNG, section 9), in place. */
function unfilter(filter: number, row: Buffer, above: Buffer, pixelBytes: number): Buffer {
  if (filter > 4) throw unreadable("it is damaged");
  if (filter === 0) return row;
  for (let i = 0; i < row.length; i++) {
    const left = i >= pixelBytes ? row[i - pixelBytes]! : 0;
    const up = above[i]!;
    const corner = i >= pixelBytes ? above[i - pixelBytes]! : 0;
    const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
    row[i] = row[i]! + guess;
  }
  return row;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
