import { writeFile } from "node:fs/promises";
import { buildGguf, le32, le64, raw, text, texts, u32, type TestTensor } from "./gguf.test-builder.ts";
import { parseGguf } from "./gguf-parser.ts";

export interface ScriptedLlamaOptions {
  /**
   * What the model writes, token by token, after a prompt that ends with this character. In a chat a prompt ends with
   * "\n". A piece may stand in one place only; a control token is written by its text.
   */
  scripts: Record<string, string[]>;
  /** Control tokens besides Llama 3.1's own. */
  control?: string[];
  /** `general.name`; node-llama-cpp chooses the chat format by it. Absent: "Llama 3.1 scripted". */
  name?: string;
}

const llamaControl = [
  ...["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"],
  ...["<|eom_id|>", "<|eot_id|>", "<|python_tag|>"],
];

/** GPT-2's spelling of bytes, in the order of the bytes (`bytes_to_unicode` in openai/gpt-2, encoder.py). */
const byteSpelling: string[] = [];
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isPlain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  byteSpelling.push(String.fromCharCode(isPlain ? byte : next++));
}
const spelled = (piece: string) => [...Buffer.from(piece)].map((byte) => byteSpelling[byte]).join("");

/**
 * Writes a Llama whose every token has one successor, so that it writes what a test wants it to: each token is a dimension
 * of its own, the layer adds nothing, and the output points from each token to the next. Its vocabulary are the bytes and
 * the pieces of the scripts, so that a text is read byte by byte.
 */
export async function writeScriptedLlama(path: string, options: ScriptedLlamaOptions): Promise<void> {
  const { scripts, control = [], name = "Llama 3.1 scripted" } = options;
  const controls = [...llamaControl, ...control];
  const pieces = Object.values(scripts)
    .flat()
    .filter((piece) => !controls.includes(piece));
  if (new Set(pieces).size < pieces.length) throw new Error("A piece of a script stands in two places.");
  const normal = [...byteSpelling, "Ġt", ...pieces.map(spelled)];
  const tokens = [...normal, ...controls];
  if (new Set(tokens).size < tokens.length) throw new Error("A piece of a script is a byte or a control token.");
  const width = Math.ceil(tokens.length / 128) * 128;
  const idOf = (piece: string) => tokens.lastIndexOf(controls.includes(piece) ? piece : spelled(piece));
  const successors = new Map<number, number>();
  for (const [start, script] of Object.entries(scripts)) {
    let last = idOf(start);
    for (const piece of script) {
      successors.set(last, idOf(piece));
      last = idOf(piece);
    }
  }
  const bytes = buildGguf({
    metadata: {
      "general.architecture": text("llama"),
      "general.name": text(name),
      "general.file_type": u32(0),
      "llama.block_count": u32(1),
      "llama.context_length": u32(8192),
      "llama.embedding_length": u32(width),
      "llama.feed_forward_length": u32(32),
      "llama.attention.head_count": u32(2),
      "llama.attention.head_count_kv": u32(1),
      "llama.attention.layer_norm_rms_epsilon": f32(1e-5),
      "llama.rope.freq_base": f32(10_000),
      "tokenizer.ggml.model": text("gpt2"),
      "tokenizer.ggml.pre": text("llama-bpe"),
      "tokenizer.ggml.tokens": texts(tokens),
      // 3: control, 1: normal.
      "tokenizer.ggml.token_type": int32s(tokens.map((_, index) => (index < normal.length ? 1 : 3))),
      "tokenizer.ggml.merges": texts(["Ġ t"]),
      "tokenizer.ggml.bos_token_id": u32(idOf("<|begin_of_text|>")),
      "tokenizer.ggml.eos_token_id": u32(idOf("<|eot_id|>")),
    },
    tensors: tensorsOf(width, tokens.length),
  });
  const { tensors, dataOffset } = parseGguf(bytes, bytes.length);
  const write = (tensor: string, row: number, column: number) => {
    const offset = tensors.find((other) => other.name === tensor)?.offset ?? 0;
    bytes.writeFloatLE(1, dataOffset + offset + 4 * (row * width + column));
  };
  for (let token = 0; token < tokens.length; token++) write("token_embd.weight", token, token);
  for (const [token, next] of successors) write("output.weight", next, token);
  for (const { name: norm } of tensors.filter((tensor) => tensor.name.endsWith("norm.weight"))) {
    for (let column = 0; column < width; column++) write(norm, 0, column);
  }
  await writeFile(path, bytes);
}

function tensorsOf(width: number, words: number): TestTensor[] {
  const tensor = (name: string, ...dimensions: number[]): TestTensor => ({
    name: `${name}.weight`,
    dimensions,
    type: 0,
    bytes: 4 * dimensions.reduce((product, size) => product * size, 1),
  });
  return [
    tensor("token_embd", width, words),
    tensor("blk.0.attn_norm", width),
    tensor("blk.0.attn_q", width, width),
    tensor("blk.0.attn_k", width, width / 2),
    tensor("blk.0.attn_v", width, width / 2),
    tensor("blk.0.attn_output", width, width),
    tensor("blk.0.ffn_norm", width),
    tensor("blk.0.ffn_gate", width, 32),
    tensor("blk.0.ffn_up", width, 32),
    tensor("blk.0.ffn_down", 32, width),
    tensor("output_norm", width),
    tensor("output", width, words),
  ];
}

function f32(value: number) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return raw(6, bytes);
}

function int32s(values: number[]) {
  return raw(9, Buffer.concat([le32(5), le64(values.length), Buffer.from(Int32Array.from(values).buffer)]));
}
