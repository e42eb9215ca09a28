import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** GGUF version 3, as in ggml's docs/gguf.md: little endian, tensors aligned to 32 bytes. */
const magic = 0x46554747;
const alignment = 32;
const valueType = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
/** Bytes of the fixed-size value types, by type number. */
const fixedSizes: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/** ggml tensor types, with the bytes of one block of weights. */
export const tensorTypes = {
  f32: { id: 0, blockWeights: 1, blockBytes: 4 },
  f16: { id: 1, blockWeights: 1, blockBytes: 2 },
  q8_0: { id: 8, blockWeights: 32, blockBytes: 34 },
  q4_k: { id: 12, blockWeights: 256, blockBytes: 144 },
  q6_k: { id: 14, blockWeights: 256, blockBytes: 210 },
} as const;
export type TensorType = keyof typeof tensorTypes;

export interface Tensor {
  name: string;
  /** Columns first, as ggml counts. */
  shape: number[];
  type: TensorType;
  /** Writes the tensor's rows, in order, to `emit`. */
  rows(emit: (bytes: Uint8Array) => void): void;
}

/** A metadata entry as it stands in the file: type and value, without the key. */
export type RawEntries = Map<string, Buffer>;

/** Reads the metadata of a GGUF file we trust (our own), undecoded. */
export function readRawMetadata(path: string, limitBytes = 64 << 20): RawEntries {
  const file = openSync(path, "r");
  let bytes = Buffer.alloc(limitBytes);
  try {
    bytes = bytes.subarray(0, readSync(file, bytes, 0, limitBytes, 0));
  } finally {
    closeSync(file);
  }
  if (bytes.readUInt32LE(0) !== magic) throw new Error(`${path} is not a GGUF file.`);
  const count = Number(bytes.readBigUInt64LE(16));
  let at = 24;
  const skipString = () => (at += 8 + Number(bytes.readBigUInt64LE(at)));
  const skipValue = (type: number) => {
    if (type === valueType.string) skipString();
    else if (type === valueType.array) {
      const itemType = bytes.readUInt32LE(at);
      const length = Number(bytes.readBigUInt64LE(at + 4));
      at += 12;
      for (let index = 0; index < length; index++) skipValue(itemType);
    } else at += fixedSizes[type]!;
  };
  const entries: RawEntries = new Map();
  for (let index = 0; index < count; index++) {
    const keyStart = at + 8;
    skipString();
    const key = bytes.toString("utf8", keyStart, at);
    const start = at;
    at += 4;
    skipValue(bytes.readUInt32LE(start));
    entries.set(key, Buffer.from(bytes.subarray(start, at)));
  }
  return entries;
}

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string) => {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([uint64(bytes.length), bytes]);
};

/** Metadata values, encoded with their type. */
export const entry = {
  uint32: (value: number) => Buffer.concat([uint32(valueType.uint32), uint32(value)]),
  float32: (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return Buffer.concat([uint32(valueType.float32), bytes]);
  },
  string: (value: string) => Buffer.concat([uint32(valueType.string), text(value)]),
  strings: (values: string[]) =>
    Buffer.concat([uint32(valueType.array), uint32(valueType.string), uint64(values.length), ...values.map(text)]),
  int32s: (values: number[]) =>
    Buffer.concat([
      uint32(valueType.array),
      uint32(valueType.int32),
      uint64(values.length),
      Buffer.from(Int32Array.from(values).buffer),
    ]),
};

/** Decodes an array of strings read by `readRawMetadata`. */
export function stringsOf(raw: Buffer): string[] {
  let at = 16;
  return Array.from({ length: Number(raw.readBigUInt64LE(8)) }, () => {
    const length = Number(raw.readBigUInt64LE(at));
    at += 8 + length;
    return raw.toString("utf8", at - length, at);
  });
}

/** Decodes an array of int32 read by `readRawMetadata`. */
export function int32sOf(raw: Buffer): number[] {
  return Array.from({ length: Number(raw.readBigUInt64LE(8)) }, (_, index) => raw.readInt32LE(16 + 4 * index));
}

function bytesOf({ shape, type }: Tensor): number {
  const { blockWeights, blockBytes } = tensorTypes[type];
  return (shape.reduce((product, side) => product * side, 1) / blockWeights) * blockBytes;
}

/** Writes a GGUF file; tensors are streamed, never held as a whole. */
export function writeGguf(path: string, metadata: RawEntries, tensors: Tensor[]): void {
  const parts: Uint8Array[] = [uint32(magic), uint32(3), uint64(tensors.length), uint64(metadata.size)];
  for (const [key, value] of metadata) parts.push(text(key), value);
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(text(tensor.name), uint32(tensor.shape.length), ...tensor.shape.map(uint64));
    parts.push(uint32(tensorTypes[tensor.type].id), uint64(offset));
    offset += Math.ceil(bytesOf(tensor) / alignment) * alignment;
  }
  const header = Buffer.concat(parts);
  const padding = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);

  const file = openSync(path, "w");
  try {
    writeSync(file, Buffer.concat([header, padding(header.length)]));
    for (const tensor of tensors) {
      let written = 0;
      tensor.rows((bytes) => {
        writeSync(file, bytes);
        written += bytes.length;
      });
      if (written !== bytesOf(tensor)) throw new Error(`${tensor.name}: wrote ${written} of ${bytesOf(tensor)} bytes.`);
      writeSync(file, padding(written));
    }
  } finally {
    closeSync(file);
  }
}
