import { createInflateRaw } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { Writable } from "node:stream";
import { ParseFailure, unreadable } from "./parse-failure.ts";

/** Most entries of an honest Office file: slides and pictures of a very large one stay below. */
const maxEntries = 10_000;
const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localEntry = 0x04034b50;

/**
 * Unpacks every entry of a zip archive into nothing, counting what really comes out, and stops at the limit: the sizes
 * that an archive states about itself are not believed. Run before a parser gets to see the archive.
 * @param maxBytes unpacked bytes of all entries together
 * @throws ParseFailure for an archive that is damaged, encrypted or larger than the limit
 */
export async function checkZip(archive: Uint8Array, maxBytes: number): Promise<void> {
  let left = maxBytes;
  for (const entry of readDirectory(archive)) {
    if (entry.method === 0) left -= entry.data.length;
    else if (entry.method === 8) left -= await countInflated(entry.data, left);
    else throw unreadable("it is packed in a way Word does not use");
    if (left < 0) throw new ParseFailure({ kind: "limit", limit: "output" });
  }
}

function* readDirectory(archive: Uint8Array): Generator<{ method: number; data: Uint8Array }> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEndOfDirectory(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  // 0xffff and 0xffffffff say that the true figures stand in a Zip64 record: only archives beyond 4 GiB need one.
  if (count === 0xffff || at === 0xffffffff || count > maxEntries)
    throw new ParseFailure({ kind: "limit", limit: "output" });
  for (let i = 0; i < count; i++) {
    if (at + 46 > archive.length || view.getUint32(at, true) !== directoryEntry) throw damaged();
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const local = view.getUint32(at + 42, true);
    if (flags & 1) throw new ParseFailure({ kind: "password-protected" });
    if (local + 30 > archive.length || view.getUint32(local, true) !== localEntry) throw damaged();
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > archive.length) throw damaged();
    yield { method, data: archive.subarray(start, start + packed) };
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

/** The end record is the last thing in an archive, before a comment of at most 65,535 bytes. */
function findEndOfDirectory(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) === endOfDirectory) return at;
  }
  throw damaged();
}

async function countInflated(data: Uint8Array, limit: number): Promise<number> {
  let bytes = 0;
  const count = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      done(bytes > limit ? new ParseFailure({ kind: "limit", limit: "output" }) : null);
    },
  });
  try {
    await pipeline([data], createInflateRaw(), count);
  } catch (error) {
    throw error instanceof ParseFailure ? error : damaged(error);
  }
  return bytes;
}

function damaged(cause?: unknown): ParseFailure {
  return unreadable("it is damaged or cut short", cause);
}
