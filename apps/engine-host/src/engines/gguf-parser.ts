import { scalarBytes, tensorTypes, type TensorType } from "./gguf-types.ts";

/** What a GGUF file's header says, checked against the size of the file. */
export interface GgufContents {
  version: number;
  /** Numbers, strings and booleans by key; arrays as far as the model's shape needs them. */
  metadata: Map<string, MetadataValue>;
  tensors: GgufTensor[];
  /** Where the tensors' data begins, bytes. */
  dataOffset: number;
}

export type MetadataValue = number | string | boolean | MetadataArray;

export interface MetadataArray {
  length: number;
  /** The elements of short arrays of numbers (per-layer settings); empty for all other arrays. */
  numbers: number[];
}

export interface GgufTensor {
  name: string;
  type: TensorType;
  elements: number;
  bytes: number;
  /** From `dataOffset`. */
  offset: number;
}

/** Limits no honest model comes near, so that a header cannot cost more than a moment. */
export const ggufLimits = {
  headerBytes: 64 * 2 ** 20,
  keys: 65_536,
  tensors: 65_536,
  /** The specification's limit of a key, bytes. */
  keyBytes: 65_535,
  /** GGML_MAX_NAME with its closing zero. */
  tensorNameBytes: 63,
  dimensions: 4,
  chatTemplateBytes: 256 * 2 ** 10,
  keptStringBytes: 256 * 2 ** 10,
  keptArrayLength: 4096,
} as const;

/** The header is wrong; the message says where and why and continues "The file …". */
export class GgufProblem extends Error {}

/** The header goes on beyond the bytes given, though not beyond the file. */
export class NeedMoreBytes extends Error {}

/** Smallest possible entry: key length, one character, type, one byte. */
const leastKeyBytes = 8 + 1 + 4 + 1;
/** Smallest possible entry: name length, one character, dimension count, one dimension, type, offset. */
const leastTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

/**
 * Parses a GGUF header.
 * @param bytes the beginning of the file
 * @param fileBytes size of the whole file
 * @throws GgufProblem, NeedMoreBytes
 */
export function parseGguf(bytes: Buffer, fileBytes: number): GgufContents {
  const cursor = new Cursor(bytes, fileBytes);
  checkMagic(cursor);
  const version = cursor.u32("the version");
  if (version !== 2 && version !== 3) {
    throw new GgufProblem(
      version > 0xffff
        ? "is a big-endian GGUF, which is not supported"
        : `has GGUF version ${version}; 2 and 3 are known`,
    );
  }
  const tensorCount = cursor.count("tensors", ggufLimits.tensors, leastTensorBytes);
  const keyCount = cursor.count("metadata entries", ggufLimits.keys, leastKeyBytes);
  const metadata = readMetadata(cursor, keyCount);
  const tensors = readTensors(cursor, tensorCount);

  const alignment = metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment !== "number" ||
    alignment < 1 ||
    alignment > 2 ** 20 ||
    !Number.isInteger(Math.log2(alignment))
  ) {
    throw new GgufProblem("has an alignment that is not a power of two");
  }
  const dataOffset = Math.ceil(cursor.position / alignment) * alignment;
  checkRanges(tensors, alignment, fileBytes - dataOffset);
  return { version, metadata, tensors, dataOffset };
}

function checkMagic(cursor: Cursor): void {
  const magic = cursor.bytes(Math.min(4, cursor.fileBytes), "the magic number");
  if (magic.toString("latin1") === "GGUF") return;
  const start = magic.toString("latin1").trimStart().toLowerCase();
  throw new GgufProblem(
    start.startsWith("<")
      ? "is a web page (HTML), not a model; the download probably answered with an error page"
      : "is not a GGUF file (it does not begin with GGUF)",
  );
}

function readMetadata(cursor: Cursor, count: number): Map<string, MetadataValue> {
  const metadata = new Map<string, MetadataValue>();
  for (let index = 0; index < count; index++) {
    const key = cursor.string(ggufLimits.keyBytes, `the name of metadata entry ${index + 1}`);
    if (key === "") throw new GgufProblem(`has no name for metadata entry ${index + 1}`);
    if (metadata.has(key)) throw new GgufProblem(`names the metadata entry ${quote(key)} twice`);
    metadata.set(key, readValue(cursor, key));
  }
  return metadata;
}

function readValue(cursor: Cursor, key: string): MetadataValue {
  const what = `the value of ${quote(key)}`;
  const type = cursor.u32(`the type of ${quote(key)}`);
  if (type === 8) {
    const isTemplate = key.startsWith("tokenizer.chat_template");
    return cursor.longString(isTemplate ? ggufLimits.chatTemplateBytes : ggufLimits.headerBytes, what);
  }
  if (type === 9) return readArray(cursor, what);
  return cursor.scalar(type, what);
}

function readArray(cursor: Cursor, what: string): MetadataArray {
  const type = cursor.u32(what);
  const elementBytes = type === 8 ? 8 : scalarBytes.get(type);
  if (elementBytes === undefined) {
    throw new GgufProblem(
      type === 9 ? `has an array of arrays in ${what}` : `has an unknown type (${type}) in ${what}`,
    );
  }
  const length = cursor.count(`elements in ${what}`, Number.MAX_SAFE_INTEGER, elementBytes);
  if (type === 8) {
    for (let index = 0; index < length; index++) cursor.skipString(what);
    return { length, numbers: [] };
  }
  if (length > ggufLimits.keptArrayLength || type === 7) {
    cursor.skip(length * elementBytes, what);
    return { length, numbers: [] };
  }
  const numbers: number[] = [];
  for (let index = 0; index < length; index++) numbers.push(Number(cursor.scalar(type, what)));
  return { length, numbers };
}

function readTensors(cursor: Cursor, count: number): GgufTensor[] {
  const names = new Set<string>();
  const tensors: GgufTensor[] = [];
  for (let index = 0; index < count; index++) {
    const name = cursor.string(ggufLimits.tensorNameBytes, `the name of tensor ${index + 1}`);
    if (name === "" || names.has(name)) throw new GgufProblem(`names tensor ${quote(name)} twice or not at all`);
    names.add(name);
    const what = `tensor ${quote(name)}`;
    const dimensions = cursor.u32(what);
    if (dimensions < 1 || dimensions > ggufLimits.dimensions)
      throw new GgufProblem(`has ${dimensions} dimensions in ${what}`);
    let elements = 1;
    let rowLength = 0;
    for (let dimension = 0; dimension < dimensions; dimension++) {
      const size = cursor.u64(what);
      if (size < 1) throw new GgufProblem(`has an empty dimension in ${what}`);
      if (dimension === 0) rowLength = size;
      elements *= size;
      if (elements > Number.MAX_SAFE_INTEGER) throw new GgufProblem(`has an impossible size in ${what}`);
    }
    const number = cursor.u32(what);
    const type = tensorTypes.get(number);
    if (!type) throw new GgufProblem(`has an unknown type (${number}) in ${what}`);
    if (rowLength % type.blockValues !== 0)
      throw new GgufProblem(`has rows that do not fill blocks of ${type.name} in ${what}`);
    const bytes = (elements / type.blockValues) * type.blockBytes;
    tensors.push({ name, type, elements, bytes, offset: cursor.u64(what) });
  }
  return tensors;
}

/** Every tensor lies inside the file, aligned, and none overlaps another. */
function checkRanges(tensors: GgufTensor[], alignment: number, dataBytes: number): void {
  let end = 0;
  let before = "";
  for (const { name, offset, bytes } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (offset % alignment !== 0) throw new GgufProblem(`has tensor ${quote(name)} at an unaligned place`);
    if (offset < end) throw new GgufProblem(`has the overlapping tensors ${quote(before)} and ${quote(name)}`);
    end = offset + bytes;
    before = name;
    if (end > dataBytes) {
      throw new GgufProblem(
        `is cut short: tensor ${quote(name)} ends ${end - Math.max(0, dataBytes)} bytes after the end of the file`,
      );
    }
  }
}

/** Cut to a length fit for a message, control characters made visible. */
function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

/** Reads little-endian values in order; never past the bytes it has, never past the file. */
class Cursor {
  position = 0;
  readonly fileBytes: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, fileBytes: number) {
    this.#bytes = bytes;
    this.fileBytes = fileBytes;
  }

  /** Advances over `length` bytes and answers where they begin. */
  #take(length: number, what: string): number {
    const start = this.position;
    const end = start + length;
    if (end > this.fileBytes) throw new GgufProblem(`is cut short: it ends inside ${what}`);
    if (end > ggufLimits.headerBytes)
      throw new GgufProblem(`has a header of more than ${ggufLimits.headerBytes} bytes`);
    if (end > this.#bytes.length) throw new NeedMoreBytes();
    this.position = end;
    return start;
  }

  bytes(length: number, what: string): Buffer {
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  skip(length: number, what: string): void {
    this.#take(length, what);
  }

  u32(what: string): number {
    return this.#bytes.readUInt32LE(this.#take(4, what));
  }

  /** A value beyond what a double holds exactly is beyond any file as well, so it is not kept exact. */
  u64(what: string): number {
    return Number(this.#bytes.readBigUInt64LE(this.#take(8, what)));
  }

  /** A count of things that each take at least `leastBytes`: refused when the rest of the file cannot hold them. */
  count(what: string, limit: number, leastBytes: number): number {
    const count = this.u64(`the number of ${what}`);
    if (count > limit) throw new GgufProblem(`claims ${count} ${what}; at most ${limit} are accepted`);
    if (count * leastBytes > this.fileBytes - this.position) {
      throw new GgufProblem(`claims ${count} ${what}, more than the file can hold`);
    }
    return count;
  }

  string(limit: number, what: string): string {
    const length = this.u64(what);
    if (length > limit) throw new GgufProblem(`has ${what} longer than ${limit} bytes`);
    return this.bytes(length, what).toString("utf8");
  }

  /** A string value; one too long to be of use here is skipped and read as empty. */
  longString(limit: number, what: string): string {
    const length = this.u64(what);
    if (length > limit && length <= this.fileBytes) throw new GgufProblem(`has ${what} longer than ${limit} bytes`);
    const start = this.#take(length, what);
    return length > ggufLimits.keptStringBytes ? "" : this.#bytes.toString("utf8", start, start + length);
  }

  skipString(what: string): void {
    this.#take(this.u64(what), what);
  }

  scalar(type: number, what: string): number | boolean {
    const bytes = scalarBytes.get(type);
    if (bytes === undefined) throw new GgufProblem(`has an unknown type (${type}) in ${what}`);
    const at = this.#take(bytes, what);
    switch (type) {
      case 0:
        return this.#bytes.readUInt8(at);
      case 1:
        return this.#bytes.readInt8(at);
      case 2:
        return this.#bytes.readUInt16LE(at);
      case 3:
        return this.#bytes.readInt16LE(at);
      case 4:
        return this.#bytes.readUInt32LE(at);
      case 5:
        return this.#bytes.readInt32LE(at);
      case 6:
        return this.#bytes.readFloatLE(at);
      case 7:
        return this.#bytes.readUInt8(at) !== 0;
      case 10:
        return Number(this.#bytes.readBigUInt64LE(at));
      case 11:
        return Number(this.#bytes.readBigInt64LE(at));
      default:
        return this.#bytes.readDoubleLE(at);
    }
  }
}
