import { ParseFailure, unreadable } from "../parse-failure.ts";
import { type Picture, requireDrawable, type Strip } from "./picture.ts";

/** Entries of a directory that a scan has; a TIFF of people has some twenty. */
const mostEntries = 200;

/** Tags of TIFF 6.0. */
const tag = {
  ...{ width: 256, height: 257, bits: 258, compression: 259, photometric: 262, fillOrder: 266, offsets: 273 },
  ...{ orientation: 274, samples: 277, rowsPerStrip: 278, counts: 279, xResolution: 282, yResolution: 283 },
  ...{ planar: 284, t4Options: 292, unit: 296, predictor: 317, colorMap: 320, tiles: 322, jpegTables: 347 },
} as const;

/**
 * Reads the pages of a TIFF as scanners and fax machines write it: in strips, not compressed or with CCITT, LZW, Deflate,
 * PackBits or JPEG. The strips go into a PDF as they are, as PDF knows the same compressions.
 */
export function readTiff(bytes: Buffer, maxPages: number): Picture[] {
  const little = bytes.toString("latin1", 0, 2) === "II";
  const file = new TiffFile(bytes, little);
  if (file.word(2) !== 42) throw unreadable("it is damaged or not a TIFF picture");
  const pages: Picture[] = [];
  const seen = new Set<number>();
  for (let at = file.long(4); at !== 0;) {
    if (seen.has(at)) throw unreadable("it is damaged: its pages go in a circle");
    seen.add(at);
    if (pages.length >= maxPages) throw new ParseFailure({ kind: "limit", limit: "output" });
    const { entries, next } = file.directory(at);
    pages.push(readPage(file, entries));
    at = next;
  }
  return pages;
}

type Entries = Map<number, number[]>;

function readPage(file: TiffFile, entries: Entries): Picture {
  const one = (name: keyof typeof tag, fallback: number) => entries.get(tag[name])?.[0] ?? fallback;
  const [width, height] = [one("width", 0), one("height", 0)];
  requireDrawable(width, height);
  if (entries.has(tag.tiles)) throw unsupported("is stored in tiles");
  const samples = one("samples", 1);
  const bits = one("bits", 1);
  const photometric = one("photometric", 0);
  if (one("planar", 1) !== 1 || bits > 8) throw unsupported("stores its colours in an unusual way");
  const colors = colorsOf(photometric, samples, entries);
  const compression = one("compression", 1);
  const rows = Math.min(height, one("rowsPerStrip", height)) || height;
  const filter = (stripRows: number) => {
    const predictor =
      one("predictor", 1) === 2
        ? ` /DecodeParms << /Predictor 2 /Colors ${samples} /BitsPerComponent ${bits} /Columns ${width} >>`
        : "";
    switch (compression) {
      case 1:
        return "";
      case 3: {
        const k = one("t4Options", 0) & 1 ? 1 : 0;
        return `/Filter /CCITTFaxDecode /DecodeParms << /K ${k} /Columns ${width} /Rows ${stripRows} >>`;
      }
      case 4:
        return `/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns ${width} /Rows ${stripRows} >>`;
      case 5:
        return `/Filter /LZWDecode${predictor}`;
      case 7:
        return `/Filter /DCTDecode${photometric === 2 ? " /DecodeParms << /ColorTransform 0 >>" : ""}`;
      case 8:
      case 32946:
        return `/Filter /FlateDecode${predictor}`;
      case 32773:
        return "/Filter /RunLengthDecode";
      default:
        throw unsupported("is compressed in a way that can't be read");
    }
  };
  // Fax codes say what is black; elsewhere 0 is white in pictures of kind 0.
  const isFax = compression === 3 || compression === 4;
  const inverted = isFax ? photometric === 1 : photometric === 0;
  const decode = inverted && samples === 1 ? " /Decode [1 0]" : "";
  const tables = entries.get(tag.jpegTables);
  const offsets = entries.get(tag.offsets) ?? [];
  const counts = entries.get(tag.counts) ?? [];
  if (offsets.length * rows < height) throw unreadable("it is damaged: parts of the picture are missing");
  const strips: Strip[] = [];
  let cutShort = false;
  for (let y = 0, i = 0; y < height; y += rows, i++) {
    const stripRows = Math.min(rows, height - y);
    let data = file.bytes.subarray(offsets[i], offsets[i]! + (counts[i] ?? 0));
    if (data.length < (counts[i] ?? 1)) cutShort = true;
    if (data.length === 0) continue;
    if (one("fillOrder", 1) === 2) data = reversed(data);
    if (compression === 7 && tables) data = withTables(data, Buffer.from(tables));
    strips.push({
      y,
      height: stripRows,
      data,
      dictionary: `${filter(stripRows)} ${colors} /BitsPerComponent ${bits}${decode}`,
    });
  }
  if (strips.length === 0) throw unreadable("it is damaged or cut short");
  const factor = one("unit", 2) === 3 ? 2.54 : 1;
  const [x, y] = [one("xResolution", 0) * factor, one("yResolution", 0) * factor];
  const orientation = one("orientation", 1);
  return {
    ...{ width, height, strips, cutShort },
    dpi: x > 0 && y > 0 && one("unit", 2) !== 1 ? { x, y } : null,
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
  };
}

function colorsOf(photometric: number, samples: number, entries: Entries): string {
  if (photometric <= 1 && samples === 1) return "/ColorSpace /DeviceGray";
  if ((photometric === 2 || photometric === 6) && samples === 3) return "/ColorSpace /DeviceRGB";
  if (photometric === 5 && samples === 4) return "/ColorSpace /DeviceCMYK";
  const map = entries.get(tag.colorMap);
  if (photometric === 3 && samples === 1 && map) {
    // All reds, then all greens, then all blues, of 16 bits.
    const count = Math.floor(map.length / 3);
    const table = Buffer.alloc(count * 3);
    for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) table[i * 3 + c] = map[c * count + i]! >> 8;
    return `/ColorSpace [/Indexed /DeviceRGB ${count - 1} <${table.toString("hex")}>]`;
  }
  throw unsupported("stores its colours in an unusual way");
}

function unsupported(how: string): ParseFailure {
  return unreadable(`it ${how}; save it as PNG, JPEG or PDF and add that`);
}

const reversedBits = Uint8Array.from({ length: 256 }, (_, byte) => {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) result |= 128 >> bit;
  return result;
});

function reversed(data: Buffer): Buffer {
  return Buffer.from(data.map((byte) => reversedBits[byte]!));
}

/** A strip refers to tables that all strips share: they go in behind its first marker, without their own frame. */
function withTables(data: Buffer, tables: Buffer): Buffer {
  return Buffer.concat([data.subarray(0, 2), tables.subarray(2, -2), data.subarray(2)]);
}

class TiffFile {
  readonly bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, little: boolean) {
    this.bytes = bytes;
    this.#little = little;
  }

  word(at: number): number {
    if (at + 2 > this.bytes.length) throw unreadable("it is damaged or cut short");
    return this.#little ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  long(at: number): number {
    if (at + 4 > this.bytes.length) throw unreadable("it is damaged or cut short");
    return this.#little ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  /** The entries of the directory of one page that holds numbers, and where the next directory is (0: none). */
  directory(at: number): { entries: Entries; next: number } {
    const count = this.word(at);
    if (count > mostEntries) throw unreadable("it is damaged or not a TIFF picture");
    const entries: Entries = new Map();
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + i * 12;
      entries.set(this.word(entry), this.#values(this.word(entry + 2), this.long(entry + 4), entry + 8));
    }
    return { entries, next: this.long(at + 2 + count * 12) };
  }

  #values(type: number, count: number, at: number): number[] {
    const size = { 1: 1, 3: 2, 4: 4, 5: 8, 7: 1 }[type];
    // Only what a picture needs is kept: a list of strips, a colour map, JPEG tables.
    if (size === undefined || count > 1_000_000) return [];
    const from = size * count <= 4 ? at : this.long(at);
    if (from + size * count > this.bytes.length) throw unreadable("it is damaged or cut short");
    return Array.from({ length: count }, (_, i) => {
      const place = from + i * size;
      if (size === 1) return this.bytes[place]!;
      if (size === 2) return this.word(place);
      return size === 4 ? this.long(place) : this.long(place) / Math.max(1, this.long(place + 4));
    });
  }
}
