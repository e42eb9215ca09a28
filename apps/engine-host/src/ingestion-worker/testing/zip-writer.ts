import { constants, crc32, deflateRawSync } from "node:zlib";

/** One entry of a zip archive. Everything but name and content exists to tell lies. */
export interface ZipEntry {
  name: string;
  content: string | Uint8Array;
  /** The unpacked size that the archive states; the true one when left out. Bytes. */
  statedBytes?: number;
  /** Packed bytes to write instead of packing the content. */
  packed?: Uint8Array;
  /** Store the content as it is instead of packing it. */
  stored?: boolean;
  /** Mark the entry as encrypted. */
  encrypted?: boolean;
  /** Do not write content of its own: point to the content of the entry before. */
  overlaps?: boolean;
}

/** Writes a zip archive. */
export function writeZip(entries: ZipEntry[]): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let before: { at: number; packed: Buffer } | null = null;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content as string);
    const packed: Buffer =
      entry.overlaps && before
        ? before.packed
        : entry.packed
          ? Buffer.from(entry.packed)
          : entry.stored
            ? content
            : deflateRawSync(content, { level: 9 });
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    // Bit 0: encrypted. Bit 11: the name is UTF-8.
    head.writeUInt16LE((entry.encrypted ? 1 : 0) | 0x800, 2);
    head.writeUInt16LE(entry.stored ? 0 : 8, 4);
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(entry.statedBytes ?? content.length, 18);
    head.writeUInt16LE(name.length, 22);
    const at: number = entry.overlaps && before ? before.at : offset;
    if (at === offset) {
      const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), head, name, packed]);
      body.push(local);
      offset += local.length;
    }
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0", "latin1"), head, place, name]));
    before = { at, packed };
  }
  const directoryBytes = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 8);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...body, ...directory, end]);
}

/** Deflated bytes that unpack to `times` times the content, made without packing it all. */
export function packedRepeats(content: Buffer, times: number): Buffer {
  const piece = deflateRawSync(content, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array<Buffer>(times).fill(piece), Buffer.from([3, 0])]);
}
