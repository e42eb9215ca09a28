import { deflateSync } from "node:zlib";
import { toPdf } from "../pictures/picture-pdf.ts";
import { type Grey, writeBmp, writePng, writeTiff } from "./bitmaps.ts";
import type { HostileFile } from "./hostile-file.ts";
import { packedRepeats } from "./zip-writer.ts";

const small: Grey = { width: 60, height: 40, pixels: Buffer.alloc(2400, 255) };
/** That many MiB of zeros, packed for PNG and PDF. */
const zeros = (mebibytes: number) =>
  Buffer.concat([Buffer.from([0x78, 0x9c]), packedRepeats(Buffer.alloc(1 << 20), mebibytes)]);

/** Grey noise, the same each time: no letter in it, and specks everywhere. */
function noise(width: number, height: number): Grey {
  const pixels = Buffer.alloc(width * height);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    pixels[i] = (state >> 16) & 255;
  }
  return { width, height, pixels };
}

/** The headers of a JPEG that claims a size, and whatever shall follow them. */
function jpeg(
  width: number,
  height: number,
  after: Buffer = Buffer.alloc(0),
  segments: Buffer = Buffer.alloc(0),
): Buffer {
  const frame = Buffer.from("ffc0000b0800000000010111000000".slice(0, 26), "hex");
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), segments, frame, after]);
}
const scan = Buffer.from("ffda0008010100003f00", "hex");
const end = Buffer.from([0xff, 0xd9]);
const exif = (tiff: string) => {
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), Buffer.from(tiff, "hex")]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
};

/** A TIFF of that many pages, each a directory of its own that shows the same pixels. */
function manyPages(pages: number): Buffer {
  const one = writeTiff(small);
  const directory = one.subarray(8 + small.pixels.length);
  const directories = Array.from({ length: pages }, (_, i) => {
    const copy = Buffer.from(directory);
    copy.writeUInt32LE(i + 1 < pages ? 8 + small.pixels.length + (i + 1) * directory.length : 0, copy.length - 4);
    return copy;
  });
  return Buffer.concat([one.subarray(0, 8 + small.pixels.length), ...directories]);
}

/** A scan of that many pages that all show one picture. */
function manyScans(pages: number): Buffer {
  const image =
    "<< /Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 64 >>";
  const kids = Array.from({ length: pages }, (_, i) => `${i + 5} 0 R`).join(" ");
  const page =
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /I 3 0 R >> >> >>";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages} /Kids [${kids}] >>`,
    `${image} stream\n${"0".repeat(64)}\nendstream`,
    "<< /Length 29 >> stream\nq 595 0 0 842 0 0 cm /I Do Q \nendstream",
    ...Array<string>(pages).fill(page),
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj ${object} endobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join("")}`;
  return Buffer.from(
    `${text}${table}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`,
  );
}

/** A scanned page of this size in pixels whose data unpacks to far more than its file. */
function scanBomb(width: number, height: number, mebibytes: number): Buffer {
  const dictionary = "/Filter /FlateDecode /ColorSpace /DeviceGray /BitsPerComponent 8";
  const strips = [{ y: 0, height, data: zeros(mebibytes), dictionary }];
  return toPdf([{ width, height, dpi: { x: 1000, y: 1000 }, orientation: 1, strips, cutShort: false }]);
}

/** Pictures and scans that claim too much, lie, or never end. */
export function makeHostilePictures(): HostileFile[] {
  const png = writePng(small, { colors: 0 });
  const tiff = writeTiff(small);
  const cases: [name: string, bytes: Buffer, outcome: HostileFile["outcome"]][] = [
    ["huge.png", writePng(small, { colors: 2, stated: { width: 100_000, height: 100_000 } }), "refused"],
    ["huge.jpg", jpeg(65_500, 65_500, scan), "refused"],
    ["huge.tif", writeTiff(small, { 256: 100_000, 257: 100_000 }), "refused"],
    ["huge.bmp", writeBmp(small, { width: 100_000, height: 100_000 }), "refused"],
    ["wide.png", writePng(small, { colors: 0, stated: { width: 2 ** 31 - 1, height: 1 } }), "refused"],
    ["negative.bmp", writeBmp(small, { width: -60, height: 40 }), "refused"],
    ["no-size.png", writePng(small, { colors: 0, stated: { width: 0, height: 0 } }), "refused"],
    ["more-than-it-says.png", writePng(small, { colors: 0, stated: { width: 6, height: 4 } }), "refused"],
    ["less-than-it-says.png", writePng(small, { colors: 0, stated: { width: 6000, height: 4000 } }), "refused"],
    ["bomb.png", writePng(small, { colors: 0, data: zeros(1024) }), "refused"],
    ["bomb-transparent.png", writePng(small, { colors: 6, data: zeros(1024) }), "refused"],
    ["interlaced.png", writePng(small, { colors: 0, stated: { interlace: 1 } }), "refused"],
    ["cut.png", png.subarray(0, 40), "refused"],
    ["not-packed.png", writePng(small, { colors: 0, data: Buffer.alloc(500, 0x41) }), "refused"],
    ["strange-filter.png", writePng(small, { colors: 6, data: deflateSync(Buffer.alloc(241 * 40, 9)) }), "refused"],
    ["no-frame.jpg", Buffer.concat([Buffer.from([0xff, 0xd8]), scan, end]), "refused"],
    ["cut.jpg", jpeg(600, 400).subarray(0, 12), "refused"],
    ["only-headers.jpg", jpeg(600, 400, Buffer.concat([scan, end])), "refused"],
    ["passes.jpg", jpeg(5000, 5000, Buffer.concat([...Array<Buffer>(20_000).fill(scan), end])), "refused"],
    ["exif-loop.jpg", jpeg(60, 40, end, exif("49492a0008000000ffff1201030001000000ffff0000")), "refused"],
    ["exif-outside.jpg", jpeg(60, 40, end, exif("49492a00ffffff7f0000000000000000")), "refused"],
    ["circle.tif", writeTiff(small, {}, 8 + small.pixels.length), "refused"],
    ["many-pages.tif", manyPages(100_000), "refused"],
    ["outside.tif", writeTiff(small, { 273: 2 ** 31 }), "refused"],
    ["much.tif", writeTiff(small, { 279: 2 ** 31 }), "refused"],
    ["no-strips.tif", writeTiff(small, { 273: 0 }), "refused"],
    ["one-row-strips.tif", writeTiff(small, { 257: 30_000, 278: 1 }), "refused"],
    ["garbled-lzw.tif", writeTiff(noise(300, 300), { 259: 5 }), "refused"],
    ["garbled-fax.tif", writeTiff({ ...noise(300, 300) }, { 258: 1, 259: 4 }), "refused"],
    ["cut.tif", tiff.subarray(0, tiff.length - 30), "refused"],
    ["noise.png", writePng(noise(1200, 900), { colors: 0 }), "either"],
    ["many-scans.pdf", manyScans(100_000), "refused"],
    ["scan-bomb.pdf", scanBomb(30_000, 30_000, 858), "either"],
    ["scan-bomb-wide.pdf", scanBomb(2_000_000, 500, 954), "either"],
  ];
  return cases.map(([name, bytes, outcome]) => ({ name, bytes, outcome }));
}
