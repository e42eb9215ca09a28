import type { FileHandle } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";
import { ParseFailure, unreadable } from "./parse-failure.ts";

/** Most entries of an honest archive: slides and pictures of a very large presentation stay below. */
const maxEntries = 10_000;
const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localEntry = 0x04034b50;
/** The end record and the longest comment that may follow it. Bytes. */
const longestEnd = 22 + 0xffff;
/** Bytes of the directory of `maxEntries` files with long names. */
const longestDirectory = 16 * 2 ** 20;
/**
 * What unpacks to more than `honestBytes` and to more than this many times its packed size was made to do harm: office files
 * reach about 50, and Apache POI draws the line at 100.
 */
const mostRatio = 200;
const honestBytes = 16 * 2 ** 20;
/** Packed bytes read at once. */
const readBytes = 64 * 1024;

/** How many bytes may still be unpacked; one allowance is shared by an archive and the archives in it. */
export interface UnpackAllowance {
  bytes: number;
}

export interface ZipEntry {
  /** Path in the archive, with "/" between its parts. */
  readonly name: string;
  /** What really comes out, as it comes. @throws ParseFailure (damaged, encrypted, beyond the allowance) */
  stream(): AsyncGenerator<Buffer, void>;
  /** The whole content. @throws ParseFailure as `stream` */
  unpack(): Promise<Buffer>;
}

/**
 * Reads the directory of a zip archive; entries are unpacked when asked for. The sizes that an archive states about itself
 * are not believed: what comes out is counted against the allowance.
 * @throws ParseFailure for an archive that is damaged or has too many entries
 */
export async function openZip(archive: Uint8Array | FileHandle, allowance: UnpackAllowance): Promise<ZipEntry[]> {
  const source = archive instanceof Uint8Array ? bytesSource(archive) : await fileSource(archive);
  const tail = await source.read(Math.max(0, source.size - longestEnd), Math.min(source.size, longestEnd));
  const end = findEndOfDirectory(tail);
  const count = tail.readUInt16LE(end + 10);
  const start = tail.readUInt32LE(end + 16);
  // 0xffff and 0xffffffff say that the true figures stand in a Zip64 record: only archives beyond 4 GiB need one.
  if (count === 0xffff || start === 0xffffffff || count > maxEntries) {
    throw new ParseFailure({ kind: "limit", limit: "output" });
  }
  if (start > source.size) throw damaged();
  // Its stated size is not believed either.
  const directory = await source.read(start, Math.min(source.size - start, longestDirectory));
  const records: Buffer[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== directoryEntry) throw damaged();
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    records.push(directory.subarray(at, nameEnd));
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  refuseOverlaps(records);
  return records.map((record) => entryOf(source, record, allowance));
}

/** In an honest archive every entry has packed bytes of its own. */
function refuseOverlaps(records: Buffer[]): void {
  let end = 0;
  for (const record of records.toSorted((a, b) => a.readUInt32LE(42) - b.readUInt32LE(42))) {
    if (record.readUInt32LE(42) < end) throw unreadable("the files in it lie over each other");
    end = record.readUInt32LE(42) + 30 + record.readUInt32LE(20);
  }
}

/**
 * Unpacks every entry of a zip archive into nothing, counting what comes out. Run before a parser that believes stated
 * sizes gets to see the archive.
 * @throws ParseFailure for an archive that is damaged, encrypted or larger than the allowance
 */
export async function checkZip(archive: Uint8Array, allowance: UnpackAllowance): Promise<void> {
  for (const entry of await openZip(archive, allowance)) {
    for await (const chunk of entry.stream()) void chunk;
  }
}

interface Source {
  size: number;
  /** @throws ParseFailure when the archive ends before */
  read(at: number, length: number): Promise<Buffer>;
}

function bytesSource(archive: Uint8Array): Source {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  return {
    size: bytes.length,
    read: async (at, length) => {
      if (at + length > bytes.length) throw damaged();
      return bytes.subarray(at, at + length);
    },
  };
}

async function fileSource(file: FileHandle): Promise<Source> {
  return {
    size: (await file.stat()).size,
    read: async (at, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
      if (bytesRead < length) throw damaged();
      return buffer;
    },
  };
}

function entryOf(source: Source, record: Buffer, allowance: UnpackAllowance): ZipEntry {
  const flags = record.readUInt16LE(8);
  const method = record.readUInt16LE(10);
  const packedBytes = record.readUInt32LE(20);
  const local = record.readUInt32LE(42);

  async function* packed(taken: { bytes: number }): AsyncGenerator<Buffer, void> {
    if (flags & 1) throw new ParseFailure({ kind: "password-protected" });
    const head = await source.read(local, 30);
    if (head.readUInt32LE(0) !== localEntry) throw damaged();
    const start = local + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    if (start + packedBytes > source.size) throw damaged();
    for (let at = 0; at < packedBytes; at += readBytes) {
      const length = Math.min(readBytes, packedBytes - at);
      taken.bytes += length;
      yield source.read(start + at, length);
    }
  }

  async function* stream(): AsyncGenerator<Buffer, void> {
    if (method !== 0 && method !== 8) throw unreadable("it is packed in a way that Corral does not know");
    const taken = { bytes: 0 };
    let bytes = 0;
    for await (const chunk of method === 0 ? packed(taken) : inflate(packed(taken))) {
      bytes += chunk.length;
      allowance.bytes -= chunk.length;
      const bomb = bytes > honestBytes && bytes > taken.bytes * mostRatio;
      if (bomb || allowance.bytes < 0) throw new ParseFailure({ kind: "limit", limit: "output" });
      yield chunk;
    }
  }

  return {
    name: decodeName(record.subarray(46)),
    stream,
    unpack: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream()) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}

async function* inflate(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const inflater = createInflateRaw();
  // Not awaited: what goes wrong while feeding destroys the inflater, and so reaches the reader below.
  const fed = (async () => {
    for await (const chunk of packed) {
      if (!inflater.write(chunk)) await new Promise((resolve) => inflater.once("drain", resolve));
    }
    inflater.end();
  })();
  fed.catch((error: Error) => inflater.destroy(error));
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (error) {
    throw error instanceof ParseFailure ? error : damaged(error);
  } finally {
    inflater.destroy();
  }
}

/** Names are UTF-8 today; older programs wrote them in the code page of the machine. */
function decodeName(bytes: Buffer): string {
  const name = (() => {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  })();
  return name.replaceAll("\\", "/");
}

/** The end record is the last thing in an archive, before a comment. */
function findEndOfDirectory(tail: Buffer): number {
  for (let at = tail.length - 22; at >= 0; at--) if (tail.readUInt32LE(at) === endOfDirectory) return at;
  throw damaged();
}

function damaged(cause?: unknown): ParseFailure {
  return unreadable("it is damaged or cut short", cause);
}
