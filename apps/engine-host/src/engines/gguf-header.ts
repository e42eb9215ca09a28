import { open, stat, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { CorralError, type ModelShape } from "@corral/protocol";
import {
  GgufProblem,
  ggufLimits,
  NeedMoreBytes,
  parseGguf,
  type GgufContents,
  type GgufTensor,
} from "./gguf-parser.ts";
import { joinParts, partPaths, splitPlaceOf } from "./gguf-parts.ts";
import { purposeOf, type ModelPurpose } from "./gguf-purpose.ts";
import { fileTypes } from "./gguf-types.ts";

/** What the header of a model file tells. Sizes in bytes. */
export interface GgufHeader {
  /** `general.name`, or the file's name without its ending. */
  name: string;
  shape: ModelShape;
  /** What the model is made for. */
  purpose: ModelPurpose;
  /** For example "Q4_K_M": the declared file type, else the type most weights have. */
  quantization: string;
  /** Of all parts, where the model is split over several files. */
  fileBytes: number;
  /** All tensors. */
  weightsBytes: number;
  /** The token embedding; llama.cpp keeps it in main memory. */
  inputBytes: number;
  /** The output matrix and norm. */
  outputBytes: number;
  /** Each layer's tensors, first layer first. */
  layerBytes: number[];
  /** There is no output matrix: the token embedding serves as one. */
  isTied: boolean;
  hasChatTemplate: boolean;
}

/** Read sizes: most headers fit the second, the largest known vocabularies the third. */
const readSizes = [2 ** 20, 8 * 2 ** 20, 24 * 2 ** 20, ggufLimits.headerBytes];

/**
 * Reads and checks the header of a GGUF file, never more than 64 MiB of it. Of a model split over several files (405B ones are)
 * the path is that of the first, `…-00001-of-00009.gguf`, and all are read. This runs before llama.cpp or
 * node-llama-cpp see a file: node-llama-cpp's reader hangs or aborts the process on hostile headers
 * (research/reliability.md §0), and llama.cpp has had memory errors there.
 * @throws CorralError FILE_NOT_FOUND, EMPTY_FILE, MODEL_FILE_INVALID, CANCELLED
 */
export async function readGgufHeader(path: string, signal?: AbortSignal): Promise<GgufHeader> {
  return about(path, async () => {
    const first = await readPart(path, signal);
    const place = splitPlaceOf(first.contents);
    if (!place) return describe(first.contents, basename(path), first.bytes);
    const parts = [first];
    for (const [index, part] of partPaths(path, place).entries()) {
      if (index > 0)
        parts.push(await about(part, () => readPart(part, signal), { of: place.count, number: index + 1 }));
    }
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    return describe(joinParts(parts.map(({ contents }) => contents)), basename(path), bytes);
  });
}

/** Turns what goes wrong with a file into an error that names it. */
async function about<Result>(
  path: string,
  work: () => Promise<Result>,
  part?: { number: number; of: number },
): Promise<Result> {
  const file = basename(path);
  try {
    return await work();
  } catch (error) {
    if (error instanceof CorralError) throw error;
    if (!(error instanceof GgufProblem)) throw notReadable(path, error, part);
    const message = `${file} cannot be used as a model: the file ${error.message}. Download or copy it again, or choose another file.`;
    throw new CorralError("MODEL_FILE_INVALID", message, { file, reason: `the file ${error.message}` });
  }
}

/** One file: a whole model, or a part of a split one. */
async function readPart(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ contents: GgufContents; bytes: number }> {
  // Before opening: a pipe would block a thread until somebody writes into it.
  const found = await stat(path);
  if (!found.isFile()) throw new GgufProblem("is not a regular file");
  if (found.size === 0) {
    const file = basename(path);
    throw new CorralError("EMPTY_FILE", `${file} is empty (0 bytes). Download or copy the model again.`, { file });
  }
  await using handle = await open(path, "r");
  return { contents: await parseFile(handle, found.size, signal), bytes: found.size };
}

async function parseFile(
  handle: FileHandle,
  fileBytes: number,
  signal: AbortSignal | undefined,
): Promise<GgufContents> {
  let bytes: Buffer = Buffer.alloc(0);
  for (const size of readSizes) {
    if (signal?.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
    bytes = await readStart(handle, bytes, Math.min(size, fileBytes));
    try {
      return parseGguf(bytes, fileBytes);
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
    }
  }
  throw new GgufProblem("changed while it was read");
}

/** The first `size` bytes, of which `known` are there already. A file that shrank meanwhile is cut short. */
async function readStart(handle: FileHandle, known: Buffer, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  known.copy(bytes);
  let filled = known.length;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) throw new GgufProblem("changed while it was read");
    filled += bytesRead;
  }
  return bytes;
}

function describe(contents: GgufContents, file: string, fileBytes: number): GgufHeader {
  const { metadata, tensors } = contents;
  if (tensors.length === 0) throw new GgufProblem("holds no weights");
  const sum = (wanted: (tensor: GgufTensor) => boolean) =>
    tensors.reduce((bytes, tensor) => (wanted(tensor) ? bytes + tensor.bytes : bytes), 0);
  const inputBytes = sum(({ name }) => name === "token_embd.weight");
  const outputBytes = sum(({ name }) => name.startsWith("output"));
  const isTied = !tensors.some(({ name }) => name === "output.weight");
  const shape = shapeOf(contents);
  const layerBytes = Array<number>(Math.min(shape.layers, tensors.length)).fill(0);
  for (const tensor of tensors) {
    const layer = Number(/^blk\.(\d+)\./.exec(tensor.name)?.[1] ?? -1);
    if (layer >= 0 && layer < layerBytes.length) layerBytes[layer] = (layerBytes[layer] ?? 0) + tensor.bytes;
  }
  const name = metadata.get("general.name");
  const template = metadata.get("tokenizer.chat_template");
  return {
    name: typeof name === "string" && name.trim() !== "" ? name.trim().slice(0, 200) : file.replace(/\.gguf$/i, ""),
    shape,
    purpose: purposeOf(contents),
    quantization: quantizationOf(contents),
    fileBytes,
    weightsBytes: sum(() => true),
    inputBytes,
    outputBytes,
    layerBytes,
    isTied,
    hasChatTemplate: typeof template === "string" && template !== "",
  };
}

function shapeOf({ metadata, tensors }: GgufContents): ModelShape {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string" || !/^[a-z0-9_.-]{1,64}$/i.test(architecture)) {
    throw new GgufProblem("does not name its architecture (general.architecture)");
  }
  /** A per-layer setting counts with its largest value, so that memory is never estimated too low. */
  const read = (key: string): number | null => {
    const value = metadata.get(`${architecture}.${key}`);
    const number = typeof value === "object" ? Math.max(0, ...value.numbers) : value;
    return typeof number === "number" && Number.isInteger(number) && number > 0 && number < 2 ** 31 ? number : null;
  };
  const needed = (key: string): number => {
    const value = read(key);
    if (value === null) throw new GgufProblem(`lacks a usable ${architecture}.${key}, which every language model has`);
    return value;
  };
  const heads = needed("attention.head_count");
  const embeddingLength = needed("embedding_length");
  const headLength = Math.max(1, Math.floor(embeddingLength / heads));
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const vocabularySize = typeof tokens === "object" && tokens.length > 0 ? tokens.length : read("vocab_size");
  if (vocabularySize === null) throw new GgufProblem("has no vocabulary (tokenizer.ggml.tokens)");
  return {
    architecture,
    parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
    layers: needed("block_count"),
    embeddingLength,
    feedForwardLength: read("feed_forward_length") ?? read("expert_feed_forward_length") ?? 4 * embeddingLength,
    heads,
    keyValueHeads: read("attention.head_count_kv") ?? heads,
    keyLength: read("attention.key_length") ?? headLength,
    valueLength: read("attention.value_length") ?? headLength,
    vocabularySize,
    trainContextSize: needed("context_length"),
  };
}

function quantizationOf({ metadata, tensors }: GgufContents): string {
  const declared = metadata.get("general.file_type");
  const name = typeof declared === "number" ? fileTypes.get(declared) : undefined;
  if (name) return name;
  const elements = new Map<string, number>();
  for (const { type, elements: count } of tensors) elements.set(type.name, (elements.get(type.name) ?? 0) + count);
  const [most] = [...elements].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? "unknown";
}

function notReadable(path: string, error: unknown, part: { number: number; of: number } | undefined): CorralError {
  const file = basename(path);
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const message = part
      ? `Part ${part.number} of ${part.of} of the model is missing: there is no file ${path}. Put all parts into one folder.`
      : `There is no file ${path}. Check the path.`;
    return new CorralError("FILE_NOT_FOUND", message, { file: path });
  }
  if (code === "") throw error;
  const reason = code === "EACCES" || code === "EPERM" ? "Corral may not read it" : message;
  return new CorralError("MODEL_FILE_INVALID", `${file} cannot be opened: ${reason}. Check its permissions.`, {
    file,
    reason,
  });
}
