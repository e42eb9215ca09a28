import { unreadable } from "../parse-failure.ts";
import { type Picture, requireDrawable } from "./picture.ts";

/** A progressive JPEG has some ten scans; each one is a pass over the whole picture. */
const mostScans = 100;

/** Looks through the headers of a JPEG; its data is left as it is. */
export function readJpeg(bytes: Buffer): Picture {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) throw unreadable("it is damaged or not a JPEG picture");
  let frame: { width: number; height: number; components: number } | null = null;
  let dpi: Picture["dpi"] = null;
  let orientation = 1;
  let isAdobe = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1]!;
    // Fill bytes, and markers without content.
    if (marker === 0xff || (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) break;
    const length = bytes.readUInt16BE(at + 2);
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (length < 2) break;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker) && segment.length >= 6) {
      frame ??= { height: segment.readUInt16BE(1), width: segment.readUInt16BE(3), components: segment[5]! };
    } else if (marker === 0xe0 && segment.subarray(0, 5).toString("latin1") === "JFIF\0" && segment.length >= 12) {
      dpi = density(segment[7]!, segment.readUInt16BE(8), segment.readUInt16BE(10));
    } else if (marker === 0xe1 && segment.subarray(0, 6).toString("latin1") === "Exif\0\0") {
      orientation = orientationOf(segment.subarray(6));
    } else if (marker === 0xee && segment.subarray(0, 5).toString("latin1") === "Adobe") isAdobe = true;
    at += 2 + length;
  }
  if (!frame) throw unreadable("it is damaged or cut short");
  const { width, height, components } = frame;
  requireDrawable(width, height);
  if (scansOf(bytes) > mostScans) throw unreadable("it is made to take very long to draw");
  const space = { 1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK" }[components];
  if (!space) throw unreadable("its colours are stored in a way that can't be read; save it as PNG and add that");
  // Programs of Adobe store CMYK inverted.
  const decode = components === 4 && isAdobe ? " /Decode [1 0 1 0 1 0 1 0]" : "";
  const dictionary = `/Filter /DCTDecode /ColorSpace ${space} /BitsPerComponent 8${decode}`;
  const cutShort = bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) < 0;
  return { width, height, dpi, orientation, strips: [{ y: 0, height, data: bytes, dictionary }], cutShort };
}

/** Inside a scan the byte before a marker is always followed by 0, so no data looks like one. */
function scansOf(bytes: Buffer): number {
  const marker = Buffer.from([0xff, 0xda]);
  let count = 0;
  for (let at = bytes.indexOf(marker); at >= 0 && count <= mostScans; at = bytes.indexOf(marker, at + 2)) count++;
  return count;
}

function density(unit: number, x: number, y: number): Picture["dpi"] {
  if (x === 0 || y === 0 || (unit !== 1 && unit !== 2)) return null;
  const factor = unit === 2 ? 2.54 : 1;
  return { x: x * factor, y: y * factor };
}

/** The orientation in EXIF data (a small TIFF), 1 when it says nothing. */
function orientationOf(exif: Buffer): number {
  if (exif.length < 14) return 1;
  const little = exif.toString("latin1", 0, 2) === "II";
  const word = (at: number) => (at + 2 > exif.length ? 0 : little ? exif.readUInt16LE(at) : exif.readUInt16BE(at));
  const first = little ? exif.readUInt32LE(4) : exif.readUInt32BE(4);
  for (let i = 0; i < Math.min(word(first), 100); i++) {
    const entry = first + 2 + i * 12;
    if (word(entry) !== 0x0112) continue;
    const value = word(entry + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
