import { writeFile } from "node:fs/promises";
import { buildGguf, le32, le64, raw, text, texts, u32, type TestGguf, type TestTensor } from "./gguf.test-builder.ts";
import { parseGguf } from "./gguf-parser.ts";

export interface TinyBertOptions {
  /** What it is for: vectors (the mean of the last layer), or a score. Absent: mean. */
  pooling?: "mean" | "rank";
  /** Length of its vectors, a multiple of 2 heads. Absent: 64. */
  dimensions?: number;
  /** Longest text, tokens. Absent: 512. */
  trainContext?: number;
  /** `general.name`. */
  name?: string;
}

const layers = 2;
const feedForward = 128;
const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** WordPiece as llama.cpp stores it: "▁" begins a word. All printable ASCII and each pair of letters, at both places. */
function vocabulary(): string[] {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const singles = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
    (character) => !/[A-Z]/.test(character),
  );
  const pieces = [...singles, ...letters.flatMap((first) => letters.map((second) => first + second))];
  return [...special, ...pieces.map((piece) => `▁${piece}`), ...pieces];
}

/** Marsaglia's xorshift32, -1..1: the same file on every machine. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) / 0xffffffff) * 2 - 1;
  };
}

function tensorsOf(width: number, context: number, words: number, isRanker: boolean): TestTensor[] {
  const tensor = (name: string, ...dimensions: number[]): TestTensor => ({
    name,
    dimensions,
    type: 0,
    bytes: 4 * dimensions.reduce((product, size) => product * size, 1),
  });
  const norm = (name: string) => [tensor(`${name}.weight`, width), tensor(`${name}.bias`, width)];
  const matrix = (name: string, inputs: number, outputs: number) => [
    tensor(`${name}.weight`, inputs, outputs),
    tensor(`${name}.bias`, outputs),
  ];
  return [
    tensor("token_embd.weight", width, words),
    tensor("token_types.weight", width, 2),
    tensor("position_embd.weight", width, context),
    ...norm("token_embd_norm"),
    ...Array.from({ length: layers }, (_, index) => [
      ...["attn_q", "attn_k", "attn_v", "attn_output"].flatMap((part) => matrix(`blk.${index}.${part}`, width, width)),
      ...norm(`blk.${index}.attn_output_norm`),
      ...matrix(`blk.${index}.ffn_up`, width, feedForward),
      ...matrix(`blk.${index}.ffn_down`, feedForward, width),
      ...norm(`blk.${index}.layer_output_norm`),
    ]).flat(),
    ...(isRanker ? [...matrix("cls", width, width), ...matrix("cls.output", width, 1)] : []),
  ];
}

/**
 * Writes a BERT with random weights that llama.cpp loads. What a word adds outweighs what the layers and the places add,
 * so that texts with words in common get vectors that lie close together: good enough to test search with.
 */
export async function writeTinyBert(path: string, options: TinyBertOptions = {}): Promise<void> {
  const { pooling = "mean", dimensions = 64, trainContext = 512, name = "Tiny BERT" } = options;
  const tokens = vocabulary();
  const f32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return raw(6, bytes);
  };
  const int32s = (values: number[]) =>
    raw(9, Buffer.concat([le32(5), le64(values.length), Buffer.from(Int32Array.from(values).buffer)]));
  const file: TestGguf = {
    metadata: {
      "general.architecture": text("bert"),
      "general.name": text(name),
      "general.file_type": u32(0),
      "bert.block_count": u32(layers),
      "bert.context_length": u32(trainContext),
      "bert.embedding_length": u32(dimensions),
      "bert.feed_forward_length": u32(feedForward),
      "bert.attention.head_count": u32(2),
      "bert.attention.layer_norm_epsilon": f32(1e-12),
      "bert.attention.causal": raw(7, Buffer.from([0])),
      "bert.pooling_type": u32(pooling === "mean" ? 1 : 4),
      "tokenizer.ggml.model": text("bert"),
      "tokenizer.ggml.pre": text("jina-v2-en"),
      "tokenizer.ggml.tokens": texts(tokens),
      // 3: control, 2: unknown, 1: normal.
      "tokenizer.ggml.token_type": int32s(
        tokens.map((token) => (token === "[UNK]" ? 2 : special.includes(token) ? 3 : 1)),
      ),
      "tokenizer.ggml.token_type_count": u32(2),
      "tokenizer.ggml.padding_token_id": u32(0),
      "tokenizer.ggml.unknown_token_id": u32(1),
      "tokenizer.ggml.cls_token_id": u32(2),
      "tokenizer.ggml.bos_token_id": u32(2),
      "tokenizer.ggml.seperator_token_id": u32(3),
      "tokenizer.ggml.eos_token_id": u32(3),
      "tokenizer.ggml.mask_token_id": u32(4),
    },
    tensors: tensorsOf(dimensions, trainContext, tokens.length, pooling === "rank"),
  };
  const bytes = buildGguf(file);
  const { tensors, dataOffset } = parseGguf(bytes, bytes.length);
  const random = randomSource(20_261_124);
  for (const tensor of tensors) {
    const start = dataOffset + tensor.offset;
    for (let at = start; at < start + tensor.bytes; at += 4) bytes.writeFloatLE(valueOf(tensor.name, random), at);
  }
  await writeFile(path, bytes);
}

function valueOf(tensor: string, random: () => number): number {
  if (tensor.endsWith("norm.weight")) return 1;
  if (tensor.endsWith(".bias")) return 0;
  if (tensor === "token_embd.weight") return random();
  if (tensor.startsWith("cls")) return random();
  return random() * 0.05;
}
