import { deflateSync } from "node:zlib";
import { unreadable } from "../parse-failure.ts";
import { type Picture, requireDrawable } from "./picture.ts";

/** Reads a Windows bitmap with 1, 4, 8, 24 or 32 bits a pixel, not compressed. */
export function readBmp(bytes: Buffer): Picture {
  if (bytes.length < 54 || bytes.toString("latin1", 0, 2) !== "BM") throw unreadable("it is damaged or not a bitmap");
  const dataAt = bytes.readUInt32LE(10);
  const headerBytes = bytes.readUInt32LE(14);
  const width = bytes.readInt32LE(18);
  const signedHeight = bytes.readInt32LE(22);
  const height = Math.abs(signedHeight);
  const bits = bytes.readUInt16LE(28);
  const compression = bytes.readUInt32LE(30);
  requireDrawable(width, height);
  // 3: the places of red, green and blue are given; with 32 bits they are nearly always the usual ones.
  if (![1, 4, 8, 24, 32].includes(bits) || !(compression === 0 || (compression === 3 && bits === 32))) {
    throw unreadable("it is a compressed bitmap; save it as PNG and add that");
  }
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  const colors = bits <= 8 ? bytes.readUInt32LE(46) || 2 ** bits : 0;
  const palette = bytes.subarray(14 + headerBytes, 14 + headerBytes + Math.min(colors, 256) * 4);
  const rows = Math.min(height, Math.floor((bytes.length - dataAt) / rowBytes));
  if (rows < 1) throw unreadable("it is damaged or cut short");
  const out = Buffer.alloc(width * height * 3, 255);
  for (let row = 0; row < rows; row++) {
    const from = dataAt + row * rowBytes;
    // Rows are stored from the bottom up, unless the height is negative.
    let to = (signedHeight > 0 ? height - 1 - row : row) * width * 3;
    for (let x = 0; x < width; x++, to += 3) {
      let at = from + (x * bits) / 8;
      let source = bytes;
      if (bits <= 8) {
        const shift = 8 - bits - ((x * bits) % 8);
        at = ((bytes[Math.floor(at)]! >> shift) & (2 ** bits - 1)) * 4;
        source = palette;
      }
      out[to] = source[at + 2] ?? 0;
      out[to + 1] = source[at + 1] ?? 0;
      out[to + 2] = source[at] ?? 0;
    }
  }
  const perMeter = { x: bytes.readInt32LE(38), y: bytes.readInt32LE(42) };
  const dpi = perMeter.x > 0 && perMeter.y > 0 ? { x: perMeter.x * 0.0254, y: perMeter.y * 0.0254 } : null;
  const data = deflateSync(out, { level: 1 });
  const dictionary = "/Filter /FlateDecode /ColorSpace /DeviceRGB /BitsPerComponent 8";
  return { width, height, dpi, orientation: 1, strips: [{ y: 0, height, data, dictionary }], cutShort: rows < height };
}
