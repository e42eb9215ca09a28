import { crc32, deflateSync } from "node:zlib";

/** Pixels of 8 bits grey, row by row. */
export interface Grey {
  width: number;
  height: number;
  pixels: Buffer;
}

/** The upper part of a picture. */
export function crop({ width, pixels }: Grey, height: number): Grey {
  return { width, height, pixels: pixels.subarray(0, width * height) };
}

/** As stored by a camera that was held upright: turned a quarter to the left. */
export function turnLeft({ width, height, pixels }: Grey): Grey {
  const turned = Buffer.alloc(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[(width - 1 - x) * height + y] = pixels[y * width + x]!;
  }
  return { width: height, height: width, pixels: turned };
}

export interface PngOptions {
  /** PNG's colour types: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  colors: 0 | 2 | 3 | 4 | 6;
  bits?: 8 | 16;
  /** Overrides what the header says. */
  stated?: { width?: number; height?: number; interlace?: number };
  /** Data instead of that of the picture. */
  data?: Buffer;
}

/** A PNG; what is dark in it is opaque, what is light transparent, where there is transparency. */
export function writePng(grey: Grey, { colors, bits = 8, stated = {}, data }: PngOptions): Buffer {
  const { width, height, pixels } = grey;
  const sample = (value: number) => (bits === 16 ? [value, value] : [value]);
  const pixel = {
    0: (v: number) => sample(v),
    2: (v: number) => [...sample(v), ...sample(v), ...sample(v)],
    3: (v: number) => [v],
    4: (v: number) => [...sample(0), ...sample(255 - v)],
    6: (v: number) => [...sample(0), ...sample(0), ...sample(0), ...sample(255 - v)],
  }[colors];
  const rows: number[] = [];
  if (!data) {
    for (let y = 0; y < height; y++) {
      rows.push(0);
      for (let x = 0; x < width; x++) for (const byte of pixel(pixels[y * width + x]!)) rows.push(byte);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(stated.width ?? width, 0);
  header.writeUInt32BE(stated.height ?? height, 4);
  header[8] = bits;
  header[9] = colors;
  header[12] = stated.interlace ?? 0;
  const palette = Buffer.from(Array.from({ length: 256 }, (_, i) => [i, i, i]).flat());
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...(colors === 3 ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", data ?? deflateSync(Buffer.from(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A bitmap with 24 bits a pixel, from the bottom up. */
export function writeBmp({ width, height, pixels }: Grey, stated: { width?: number; height?: number } = {}): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + rowBytes * height);
  file.write("BM", "latin1");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(stated.width ?? width, 18);
  file.writeInt32LE(stated.height ?? height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    const row = 54 + (height - 1 - y) * rowBytes;
    for (let x = 0; x < width; x++) file.fill(pixels[y * width + x]!, row + x * 3, row + x * 3 + 3);
  }
  return file;
}

/** A TIFF of grey pixels, not compressed. `entries` replaces or adds single numbers by tag; 0 removes. */
export function writeTiff({ width, height, pixels }: Grey, entries: Record<number, number> = {}, next = 0): Buffer {
  const all: Record<number, number> = {
    ...{ 256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: pixels.length },
    ...entries,
  };
  const tags = Object.keys(all)
    .map(Number)
    .filter((tag) => all[tag] !== 0)
    .sort((a, b) => a - b);
  const directory = Buffer.alloc(2 + tags.length * 12 + 4);
  directory.writeUInt16LE(tags.length, 0);
  for (const [i, tag] of tags.entries()) {
    directory.writeUInt16LE(tag, 2 + i * 12);
    directory.writeUInt16LE(4, 4 + i * 12);
    directory.writeUInt32LE(1, 6 + i * 12);
    directory.writeUInt32LE(all[tag]!, 10 + i * 12);
  }
  directory.writeUInt32LE(next, directory.length - 4);
  const head = Buffer.from("II*\0\0\0\0\0", "latin1");
  head.writeUInt32LE(8 + pixels.length, 4);
  return Buffer.concat([head, pixels, directory]);
}
