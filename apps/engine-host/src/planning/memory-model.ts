import type { KvCacheType, ModelShape, PlacementKind, PlanSlots } from "@corral/protocol";

const mebibyte = 2 ** 20;

/** Left free on each device for the desktop, other programs and fragmentation, bytes, unless the owner says otherwise. */
export const defaultReserveBytes = 2 ** 30;
/** What a CUDA context and its libraries take on a GPU before any tensor, bytes: 300 to 550 MiB in llama.cpp's reports. */
const cudaContextBytes = 512 * mebibyte;
/**
 * The worker process without the vocabulary, and what llama.cpp's vocabulary takes per token, bytes. Measured by resident
 * memory on Linux beyond weights and KV cache, right after loading: 174 MiB with 5,120 tokens, 182 MiB with 32,000,
 * about 245 MiB with 128,256.
 */
const workerProcessBytes = 170 * mebibyte;
const vocabularyEntryBytes = 600;
/** Tokens evaluated in one step, with GPUs (node-llama-cpp's default) and without. */
const gpuBatchTokens = 512;
/**
 * A prompt takes the same time on a CPU in steps of 64 to 512 tokens (measured: 9.3, 9.2, 9.0 and 9.1 s for 512 tokens of a
 * 1B model), but memory grows with the step, and a longer step takes longer to stop.
 */
const cpuBatchTokens = 128;
/** llama.cpp rounds a context up to a multiple of this, tokens. */
export const contextStep = 256;
/** Copies of a graph's inputs llama.cpp keeps when several GPUs work in a pipeline (GGML_SCHED_MAX_COPIES). */
const pipelineCopies = 4;

/** The sequences to make room for. Each group is a context of its own in the engine. */
export interface ContextNeed {
  slots: readonly PlanSlots[];
  kvCacheType: KvCacheType;
  /** Absent: generate. */
  purpose?: ModelPurpose | undefined;
}

/** What a model is loaded for: to write, or to read a text and give its vector or a score. */
export type ModelPurpose = "generate" | "embed" | "rank";

/** Tokens the engine evaluates in one step. */
export function batchTokensOf(placement: PlacementKind): number {
  return placement === "cpu" ? cpuBatchTokens : gpuBatchTokens;
}

/** What the worker process takes of main memory besides the model, bytes. */
export function workerOverheadBytes({ vocabularySize }: ModelShape): number {
  return workerProcessBytes + vocabularyEntryBytes * vocabularySize;
}

/** Bytes of KV cache one token takes in one layer. q8_0 stores 32 values in 34 bytes, f16 in 64. */
export function kvBytesPerTokenAndLayer(shape: ModelShape, type: KvCacheType): number {
  const values = shape.keyValueHeads * (shape.keyLength + shape.valueLength);
  return type === "f16" ? values * 2 : (values * 34) / 32;
}

/** llama.cpp quantizes the cache in blocks of 32 values per head. */
export function canQuantizeKvCache(shape: ModelShape): boolean {
  return shape.keyLength % 32 === 0 && shape.valueLength % 32 === 0;
}

/** Tokens of KV cache, all slots together, as llama.cpp allocates them. */
export function kvTokens({ slots }: ContextNeed): number {
  return slots.reduce((sum, { contextSize, count }) => sum + padded(contextSize) * count, 0);
}

/** The buffers of one evaluation, bytes, all f32 unless said otherwise. */
interface Buffers {
  /** One row of the residual stream or of the query per batch token. */
  embedding: number;
  feedForward: number;
  logits: number;
  /** f16, for the longest sequence; of a model that reads only also the attention scores, which it keeps whole. */
  mask: number;
  /** Keys and values of one layer turned back into f16; CUDA's attention kernels do that with a quantized cache. */
  unquantizedKv: number;
}

function buffersOf(
  shape: ModelShape,
  { contextSize, count }: PlanSlots,
  { kvCacheType, purpose = "generate" }: ContextNeed,
  batchTokens: number,
): Buffers {
  const tokens = padded(contextSize);
  const writes = purpose === "generate";
  // A text that is only read is evaluated in one step, as each of its tokens sees those after it.
  const batch = writes ? Math.min(batchTokens, tokens * count) : tokens;
  return {
    embedding: batch * 4 * Math.max(shape.embeddingLength, shape.heads * shape.keyLength),
    feedForward: batch * 4 * shape.feedForwardLength,
    logits: writes ? batch * 4 * shape.vocabularySize : 0,
    mask: batch * tokens * (writes ? 2 : 2 + 4 * shape.heads),
    unquantizedKv:
      kvCacheType === "f16" ? 0 : tokens * count * shape.keyValueHeads * (shape.keyLength + shape.valueLength) * 2,
  };
}

/**
 * The compute buffer of a model that runs on the CPU alone, bytes. It is as large as the larger of two moments: a layer's
 * feed-forward part with the mask, and the logits. The counts of buffers are what llama.cpp allocates for Llama shapes
 * from 1B to 405B at 8K to 128K tokens (its own dry run; see memory-model.test.ts), with flash attention.
 */
export function cpuComputeBytes(shape: ModelShape, need: ContextNeed, batchTokens = cpuBatchTokens): number {
  return sumOver(need, (slots) => {
    const { embedding, feedForward, logits, mask } = buffersOf(shape, slots, need, batchTokens);
    const isQuantized = need.kvCacheType !== "f16";
    const layer = mask + 3 * feedForward + (isQuantized ? 3 : 4) * embedding;
    return Math.max(layer, logits + (isQuantized ? 3 : 2) * embedding);
  });
}

/** What a GPU does in a split, as far as its compute buffer depends on it. */
export interface GpuRole {
  /** Several GPUs hold the whole model: llama.cpp then keeps four copies of the inputs on each. */
  isPipelined: boolean;
  hasOutput: boolean;
  /** The largest tensor of layers in main memory, bytes: their weights visit the GPU when a prompt is read. */
  visitorBytes: number;
}

/** The compute buffer of one GPU, bytes. */
export function gpuComputeBytes(shape: ModelShape, need: ContextNeed, role: GpuRole): number {
  return sumOver(need, (slots) => {
    const { embedding, feedForward, logits, mask, unquantizedKv } = buffersOf(shape, slots, need, gpuBatchTokens);
    const layer = Math.max(3 * feedForward + 4 * embedding, 4 * embedding + unquantizedKv) + 2 * role.visitorBytes;
    const output = role.hasOutput ? logits + 3 * embedding : 0;
    // Inputs of a pipeline are kept; else their memory serves the logits in the end.
    if (role.isPipelined) return pipelineCopies * (mask + embedding) + Math.max(layer, output);
    return Math.max(mask + layer, output);
  });
}

/** The compute buffer in main memory beside GPUs, bytes: inputs on their way, and the activations of layers left there. */
export function hostComputeBytes(
  shape: ModelShape,
  need: ContextNeed,
  isPipelined: boolean,
  hasLayers: boolean,
): number {
  return sumOver(need, (slots) => {
    const { embedding, feedForward, mask } = buffersOf(shape, slots, need, gpuBatchTokens);
    const inputs = (isPipelined ? pipelineCopies : 1) * (mask + embedding);
    return inputs + (hasLayers ? 3 * feedForward + 4 * embedding : 0);
  });
}

/** What the runtime takes on a GPU besides the buffers it reports, bytes: the CUDA context, and its pool of scratch memory. */
export function gpuOverheadBytes(shape: ModelShape): number {
  return cudaContextBytes + gpuBatchTokens * (2 * shape.feedForwardLength + 4 * shape.embeddingLength);
}

function sumOver({ slots }: ContextNeed, bytes: (slots: PlanSlots) => number): number {
  return slots.reduce((sum, group) => sum + bytes(group), 0);
}

function padded(contextSize: number): number {
  return Math.ceil(contextSize / contextStep) * contextStep;
}
