import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  entry,
  int32sOf,
  type RawEntries,
  readRawMetadata,
  stringsOf,
  type Tensor,
  type TensorType,
  tensorTypes,
  writeGguf,
} from "./gguf-file.ts";

const root = resolve(import.meta.dirname, "..");
const tokenizerSource = join(root, "resources/reader-model/corral-reader-q8_0.gguf");
const folder = join(root, "bench/models");

/** Shapes with random weights: what they compute is worthless, what it costs is real. Embeddings are tied. */
export const sizes = {
  /** 100.1 M parameters. */
  "100m": {
    width: 768,
    layers: 12,
    feedForward: 2048,
    heads: 12,
    keyValueHeads: 4,
    headWidth: 64,
    vocabulary: 32_000,
    trainContext: 8192,
  },
  /** The least that can be trained for 131,072 tokens: reading all of them takes minutes. */
  tiny: {
    width: 256,
    layers: 1,
    feedForward: 512,
    heads: 2,
    keyValueHeads: 1,
    headWidth: 64,
    vocabulary: 32_000,
    trainContext: 131_072,
  },
  /** Llama 3.2 1B: 1.24 G parameters. */
  "1b": {
    width: 2048,
    layers: 16,
    feedForward: 8192,
    heads: 32,
    keyValueHeads: 8,
    headWidth: 64,
    vocabulary: 128_256,
    trainContext: 131_072,
  },
  /** Llama 3.2 3B: 3.21 G parameters. */
  "3b": {
    width: 3072,
    layers: 28,
    feedForward: 8192,
    heads: 24,
    keyValueHeads: 8,
    headWidth: 128,
    vocabulary: 128_256,
    trainContext: 131_072,
  },
} as const;
export type ModelSize = keyof typeof sizes;
type WeightType = Exclude<TensorType, "f32">;
/** Quantizations with llama.cpp's LLAMA_FTYPE numbers. */
const fileTypes = { f16: 1, q8_0: 7, q4_k_m: 15 } as const;
export type Quantization = keyof typeof fileTypes;

const unusedTokenType = 5;
const normalTokenType = 1;

/** Marsaglia's xorshift32: the same file on every machine. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** IEEE half precision, truncated; fine for normal numbers. */
function halfOf(value: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  const single = bits.getUint32(0);
  const exponent = ((single >>> 23) & 0xff) - 112;
  return exponent <= 0 ? 0 : ((single >>> 16) & 0x8000) | (exponent << 10) | ((single >>> 13) & 0x3ff);
}

/** A pool of encoded weights, uniform with the given standard deviation. Rows start anywhere in it. */
const pools = new Map<string, Buffer>();
function weightPool(type: WeightType, deviation: number, random: () => number): Buffer {
  const key = `${type} ${deviation}`;
  const known = pools.get(key);
  if (known) return known;
  const { blockWeights, blockBytes } = tensorTypes[type];
  const blocks = 4_194_304 / blockWeights;
  const pool = Buffer.alloc(blocks * blockBytes);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const fill = (from: number, to: number) => {
      for (let byte = from; byte < to; byte++) pool.writeUInt8(random() & 0xff, at + byte);
    };
    switch (type) {
      case "q8_0":
        // Uniform over -127..127 has a standard deviation of 73.3.
        pool.writeUInt16LE(halfOf(deviation / 73.3), at);
        for (let weight = 0; weight < blockWeights; weight++) pool.writeInt8((random() % 255) - 127, at + 2 + weight);
        break;
      case "q4_k":
        // Scale and minimum of the block, then 6-bit scales (0..63) and 4-bit values (0..15) at random.
        pool.writeUInt16LE(halfOf(deviation / 250), at);
        pool.writeUInt16LE(halfOf((deviation / 250) * 7.5), at + 2);
        fill(4, blockBytes);
        break;
      case "q6_k":
        // 6-bit values (-32..31) and 8-bit scales at random, then the scale of the block.
        fill(0, blockBytes - 2);
        pool.writeUInt16LE(halfOf(deviation / 1350), at + blockBytes - 2);
        break;
      case "f16":
        pool.writeUInt16LE(halfOf(((random() / 0xffffffff) * 2 - 1) * deviation * Math.sqrt(3)), at);
    }
  }
  pools.set(key, pool);
  return pool;
}

/** Writes whole rows taken from the pool; rows for which `isZero` holds are zero. */
function randomRows(
  columns: number,
  rows: number,
  type: WeightType,
  deviation: number,
  random: () => number,
  isZero: (row: number) => boolean = () => false,
): Tensor["rows"] {
  return (emit) => {
    const { blockWeights, blockBytes } = tensorTypes[type];
    const pool = weightPool(type, deviation, random);
    const rowBytes = (columns / blockWeights) * blockBytes;
    const zeros = Buffer.alloc(rowBytes);
    const starts = (pool.length - rowBytes) / blockBytes;
    for (let row = 0; row < rows; row++) {
      const start = (random() % starts) * blockBytes;
      emit(isZero(row) ? zeros : pool.subarray(start, start + rowBytes));
    }
  };
}

/** As llama.cpp's quantizer does (`llama_tensor_get_type`): in Q4_K_M some tensors get more bits. */
function typeOf(name: string, layer: number, layers: number, quantization: Quantization): WeightType {
  if (quantization !== "q4_k_m") return quantization;
  if (name === "token_embd") return "q6_k";
  const eighth = Math.floor(layers / 8);
  const isMore = layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
  return isMore && (name.endsWith("attn_v") || name.endsWith("ffn_down")) ? "q6_k" : "q4_k";
}

function tensorsOf(size: ModelSize, quantization: Quantization, isSilent: (token: number) => boolean): Tensor[] {
  const { width, layers, feedForward, heads, keyValueHeads, headWidth, vocabulary } = sizes[size];
  const random = randomSource(20_240_723);
  // Variance is kept from layer to layer: deviation 1/√inputs.
  const matrix = (index: number, part: string, inputs: number, outputs: number): Tensor => {
    const name = `blk.${index}.${part}`;
    const type = typeOf(name, index, layers, quantization);
    return {
      name: `${name}.weight`,
      shape: [inputs, outputs],
      type,
      rows: randomRows(inputs, outputs, type, 1 / Math.sqrt(inputs), random),
    };
  };
  const norm = (name: string): Tensor => ({
    name: `${name}.weight`,
    shape: [width],
    type: "f32",
    rows: (emit) => emit(Buffer.from(new Float32Array(width).fill(1).buffer)),
  });
  const layer = (index: number): Tensor[] => {
    const name = (part: string) => `blk.${index}.${part}`;
    return [
      norm(name("attn_norm")),
      matrix(index, "attn_q", width, heads * headWidth),
      matrix(index, "attn_k", width, keyValueHeads * headWidth),
      matrix(index, "attn_v", width, keyValueHeads * headWidth),
      matrix(index, "attn_output", heads * headWidth, width),
      norm(name("ffn_norm")),
      matrix(index, "ffn_gate", width, feedForward),
      matrix(index, "ffn_up", width, feedForward),
      matrix(index, "ffn_down", feedForward, width),
    ];
  };
  const type = typeOf("token_embd", 0, layers, quantization);
  return [
    {
      name: "token_embd.weight",
      shape: [width, vocabulary],
      type,
      // Small beside what the layers add, else a tied model repeats its last token. A zero row makes a logit of 0, which
      // never is the highest of thousands: so the model cannot end its reply, nor write half a UTF-8 character.
      rows: randomRows(width, vocabulary, type, 0.02, random, isSilent),
    },
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    norm("output_norm"),
  ];
}

function metadataOf(size: ModelSize, type: Quantization, tokens: string[], tokenTypes: number[]): RawEntries {
  const { width, layers, feedForward, heads, keyValueHeads, headWidth, vocabulary, trainContext } = sizes[size];
  const metadata: RawEntries = new Map([
    ["general.architecture", entry.string("llama")],
    ["general.name", entry.string(`Corral bench ${size}, random weights`)],
    ["general.file_type", entry.uint32(fileTypes[type])],
    ["general.quantization_version", entry.uint32(2)],
    ["llama.context_length", entry.uint32(trainContext)],
    ["llama.embedding_length", entry.uint32(width)],
    ["llama.block_count", entry.uint32(layers)],
    ["llama.feed_forward_length", entry.uint32(feedForward)],
    ["llama.attention.head_count", entry.uint32(heads)],
    ["llama.attention.head_count_kv", entry.uint32(keyValueHeads)],
    ["llama.attention.key_length", entry.uint32(headWidth)],
    ["llama.attention.value_length", entry.uint32(headWidth)],
    ["llama.attention.layer_norm_rms_epsilon", entry.float32(1e-5)],
    ["llama.rope.dimension_count", entry.uint32(headWidth)],
    ["llama.rope.freq_base", entry.float32(500_000)],
    ["llama.vocab_size", entry.uint32(vocabulary)],
  ]);
  for (const [key, value] of readRawMetadata(tokenizerSource))
    if (key.startsWith("tokenizer.")) metadata.set(key, value);
  metadata.set("tokenizer.ggml.tokens", entry.strings(tokens));
  metadata.set("tokenizer.ggml.token_type", entry.int32s(tokenTypes));
  return metadata;
}

/**
 * The path of a model with random weights, made when it is not there yet. Its tokenizer and chat template are the reader
 * model's, its vocabulary filled up with tokens no text contains.
 */
export function benchModel(size: ModelSize, type: Quantization = "q8_0"): string {
  const path = join(folder, `bench-${size}-${type}.gguf`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const source = readRawMetadata(tokenizerSource);
  const tokens = stringsOf(source.get("tokenizer.ggml.tokens")!);
  const tokenTypes = int32sOf(source.get("tokenizer.ggml.token_type")!);
  // Ġ stands for the space before a word.
  const isWritable = tokens.map((token, index) => tokenTypes[index] === normalTokenType && /^Ġ?[!-~]+$/.test(token));
  for (let index = tokens.length; index < sizes[size].vocabulary; index++) {
    tokens.push(`<|unused_${index}|>`);
    tokenTypes.push(unusedTokenType);
  }
  const isSilent = (token: number) => isWritable[token] !== true;
  const unfinished = `${path}.tmp`;
  writeGguf(unfinished, metadataOf(size, type, tokens, tokenTypes), tensorsOf(size, type, isSilent));
  renameSync(unfinished, path);
  return path;
}

/** `npm run bench -- make-model [100m|tiny|1b|3b] [q8_0|f16|q4_k_m]` */
export function run([size = "100m", type = "q8_0"]: string[]): void {
  if (!(size in sizes) || !(type in fileTypes))
    throw new Error("Usage: npm run bench -- make-model [100m|tiny|1b|3b] [q8_0|f16|q4_k_m]");
  console.log(benchModel(size as ModelSize, type as Quantization));
}
