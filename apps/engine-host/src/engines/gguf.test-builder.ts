/** Builds GGUF files for tests, well formed or wrong in just one place. */

type Value =
  | { type: "u32"; value: number }
  | { type: "string"; value: string }
  | { type: "strings"; value: string[] }
  | { type: "raw"; number: number; bytes: Buffer };

export interface TestTensor {
  name: string;
  dimensions: (number | bigint)[];
  /** Number of the ggml type; 0 = F32. */
  type: number;
  /** Instead of the place the builder would choose. */
  offset?: number;
  bytes: number;
}

export interface TestGguf {
  version?: number;
  metadata?: Record<string, Value>;
  tensors?: TestTensor[];
  /** Instead of the true counts. */
  keyCount?: bigint;
  tensorCount?: bigint;
  alignment?: number;
}

export const u32 = (value: number): Value => ({ type: "u32", value });
export const text = (value: string): Value => ({ type: "string", value });
export const texts = (value: string[]): Value => ({ type: "strings", value });
export const raw = (number: number, bytes: Buffer): Value => ({ type: "raw", number, bytes });

export function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function le64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export const ggufString = (value: string) => Buffer.concat([le64(Buffer.byteLength(value)), Buffer.from(value)]);

/** A tiny but whole language model's metadata: 2 layers, width 64, 100 tokens. */
export const tinyMetadata = (): Record<string, Value> => ({
  "general.architecture": text("llama"),
  "general.name": text("Tiny"),
  "general.file_type": u32(0),
  "llama.block_count": u32(2),
  "llama.context_length": u32(4096),
  "llama.embedding_length": u32(64),
  "llama.feed_forward_length": u32(128),
  "llama.attention.head_count": u32(2),
  "llama.attention.head_count_kv": u32(1),
  "tokenizer.ggml.tokens": texts(Array.from({ length: 100 }, (_, index) => `t${index}`)),
});

export const tinyTensors = (): TestTensor[] => [
  { name: "token_embd.weight", dimensions: [64, 100], type: 0, bytes: 25_600 },
  { name: "blk.0.attn_q.weight", dimensions: [64, 64], type: 0, bytes: 16_384 },
  { name: "blk.1.attn_q.weight", dimensions: [64, 64], type: 8, bytes: 4352 },
  { name: "output_norm.weight", dimensions: [64], type: 0, bytes: 256 },
];

export function buildGguf(file: TestGguf = {}): Buffer {
  const { version = 3, metadata = tinyMetadata(), tensors = tinyTensors(), alignment = 32 } = file;
  const entries = Object.entries(metadata);
  let end = 0;
  const placed = tensors.map((tensor) => {
    const offset = tensor.offset ?? Math.ceil(end / alignment) * alignment;
    end = Math.max(end, offset + tensor.bytes);
    return { ...tensor, offset };
  });
  const header = Buffer.concat([
    Buffer.from("GGUF"),
    le32(version),
    le64(file.tensorCount ?? tensors.length),
    le64(file.keyCount ?? entries.length),
    ...entries.flatMap(([key, value]) => [ggufString(key), encode(value)]),
    ...placed.flatMap(({ name, dimensions, type, offset }) => [
      ggufString(name),
      le32(dimensions.length),
      ...dimensions.map((size) => le64(size)),
      le32(type),
      le64(offset),
    ]),
  ]);
  const padding = Math.ceil(header.length / alignment) * alignment - header.length;
  return Buffer.concat([header, Buffer.alloc(padding + end)]);
}

function encode(value: Value): Buffer {
  switch (value.type) {
    case "u32":
      return Buffer.concat([le32(4), le32(value.value)]);
    case "string":
      return Buffer.concat([le32(8), ggufString(value.value)]);
    case "strings":
      return Buffer.concat([le32(9), le32(8), le64(value.value.length), ...value.value.map(ggufString)]);
    case "raw":
      return Buffer.concat([le32(value.number), value.bytes]);
  }
}
