import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";

/*
 * A kept KV cache on disk: what llama.cpp writes for one sequence (its tokens first, then keys and values), and after it a
 * label of ours. llama.cpp ignores what follows its own part. Files are read and written synchronously: the one thread
 * of the pool computes (design.md §4), and this process's event loop has little to do.
 */

/** "ggsq" and the version after it: LLAMA_STATE_SEQ_MAGIC and LLAMA_STATE_SEQ_VERSION of llama.h. */
const llamaMagic = 0x67677371;
const llamaHeaderBytes = 12;
/** "CRLS": the last four bytes of a whole file. */
const ownMagic = 0x534c5243;
const tailBytes = 8;
const mostLabelBytes = 4096;
/** Read between two turns of the event loop: about 2 ms. */
const pieceBytes = 4 * 2 ** 20;

export interface StateLabel {
  /** Version of this label and of what the file means. */
  format: 1;
  /** Identity of model file, KV cache type and engine: another's state means nothing to this one. */
  model: string;
  /** Name of its owner's folder. */
  owner: string;
  tokens: number;
  /** Length of llama.cpp's part, and its CRC-32. */
  bytes: number;
  crc: number;
  /** Tokens per second at which this model read prompts when the file was written. */
  prefillSpeed: number;
}

/** A whole file with a sound label. Whether its contents are sound, `isIntact` tells. */
export interface StateFile {
  path: string;
  label: StateLabel;
  tokens: Uint32Array;
}

/** Label and tokens of a file; null when it is no whole file of ours. */
export function readStateFile(path: string): StateFile | null {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    const { size } = fstatSync(file);
    const tail = readPiece(file, size - tailBytes, tailBytes);
    if (tail.readUInt32LE(4) !== ownMagic) return null;
    const labelBytes = tail.readUInt32LE(0);
    if (labelBytes > mostLabelBytes) return null;
    const text = readPiece(file, size - tailBytes - labelBytes, labelBytes).toString("utf8");
    const label = JSON.parse(text) as StateLabel;
    if (label.format !== 1 || label.bytes !== size - tailBytes - labelBytes) return null;
    const header = readPiece(file, 0, llamaHeaderBytes);
    if (header.readUInt32LE(0) !== llamaMagic || header.readUInt32LE(8) !== label.tokens) return null;
    const tokens = readPiece(file, llamaHeaderBytes, label.tokens * 4);
    return { path, label, tokens: new Uint32Array(new Uint8Array(tokens).buffer) };
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

/** Adds the label to what llama.cpp has written. */
export async function labelStateFile(
  path: string,
  label: Omit<StateLabel, "format" | "bytes" | "crc">,
): Promise<number> {
  const file = openSync(path, "r+");
  try {
    const bytes = fstatSync(file).size;
    const crc = await checksum(file, bytes);
    const text = Buffer.from(JSON.stringify({ format: 1, ...label, bytes, crc } satisfies StateLabel));
    const tail = Buffer.alloc(tailBytes);
    tail.writeUInt32LE(text.length, 0);
    tail.writeUInt32LE(ownMagic, 4);
    writeSync(file, Buffer.concat([text, tail]), 0, text.length + tailBytes, bytes);
    return bytes + text.length + tailBytes;
  } finally {
    closeSync(file);
  }
}

/** Whether llama.cpp's part is, byte for byte, what was written: llama.cpp aborts the process over some damage. */
export async function isIntact({ path, label }: StateFile): Promise<boolean> {
  try {
    const file = openSync(path, "r");
    try {
      return (await checksum(file, label.bytes)) === label.crc;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

async function checksum(file: number, bytes: number): Promise<number> {
  let crc = 0;
  for (let at = 0; at < bytes; at += pieceBytes) {
    crc = crc32(readPiece(file, at, Math.min(pieceBytes, bytes - at)), crc);
    await setImmediate();
  }
  return crc;
}

/** @throws when the file is shorter */
function readPiece(file: number, at: number, length: number): Buffer {
  const piece = Buffer.alloc(length);
  if (at < 0 || readSync(file, piece, 0, length, at) !== length) throw new Error("The file is cut short.");
  return piece;
}
