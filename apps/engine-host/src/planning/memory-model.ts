import type { KvCacheType, ModelShape } from "@corral/protocol";

const mebibyte = 2 ** 20;

/** Left free on each GPU for the desktop, other programs and fragmentation, bytes. */
export const gpuReserveBytes = 2 ** 30;
/** What a CUDA context and its libraries take on a GPU before any tensor, bytes: 300 to 600 MiB in llama.cpp's reports. */
export const gpuOverheadBytes = 512 * mebibyte;
/** The worker process itself, bytes: 140 MiB measured with a 5 MB model, with a margin. */
export const cpuOverheadBytes = 256 * mebibyte;
/** Tokens evaluated in one step; node-llama-cpp's default. */
const batchTokens = 512;

/** What to leave of main memory: 1 GiB, less on small machines. Bytes. */
export function memoryReserveBytes(totalBytes: number): number {
  return Math.min(2 ** 30, Math.floor(totalBytes / 8));
}

/** Bytes of KV cache one token takes over all layers. q8_0 stores 32 values in 34 bytes, f16 in 64. */
export function kvBytesPerToken(shape: ModelShape, type: KvCacheType): number {
  const values = shape.layers * shape.keyValueHeads * (shape.keyLength + shape.valueLength);
  return type === "f16" ? values * 2 : Math.ceil((values * 34) / 32);
}

/** llama.cpp quantizes the cache in blocks of 32 values per head. */
export function canQuantizeKvCache(shape: ModelShape): boolean {
  return shape.keyLength % 32 === 0 && shape.valueLength % 32 === 0;
}

/**
 * The compute buffer of one device, bytes: activations of a batch (logits, a few rows of embedding and feed-forward
 * width, all f32) and the attention mask (f32 and an f16 copy per batch token and context token). Agrees with llama.cpp's
 * log for Llama 3.1 8B at 8,192 tokens (258 MiB reported, 310 MiB here). With several devices llama.cpp keeps further
 * copies for its pipeline, hence twice that.
 */
export function computeBytes(shape: ModelShape, contextTokens: number, devices: number): number {
  const activations =
    batchTokens * 4 * (shape.vocabularySize + 4 * shape.embeddingLength + 2 * shape.feedForwardLength);
  const mask = batchTokens * contextTokens * 6;
  return (activations + mask) * (devices > 1 ? 2 : 1);
}
