import type { DeviceMemory, ModelShape, PlacementKind } from "@corral/protocol";
import type { Machine, UsableGpu } from "./machine.ts";
import {
  cpuComputeBytes,
  gpuComputeBytes,
  gpuOverheadBytes,
  hostComputeBytes,
  kvBytesPerTokenAndLayer,
  kvTokens,
  workerOverheadBytes,
  type ContextNeed,
} from "./memory-model.ts";
import type { ModelWeights } from "./model-weights.ts";

/** A model in one quantization. */
export interface PlacedModel {
  shape: ModelShape;
  weights: ModelWeights;
  /** Bytes of all layers before each; one more entry than layers. */
  layerSums: readonly number[];
  heaviestLayerBytes: number;
}

/** Where each part of a model would lie. */
export interface Placement {
  kind: Exclude<PlacementKind, "none">;
  gpuLayers: number;
  /** In dealing order, main memory last. */
  devices: DeviceMemory[];
  /** Bytes short, over all devices. */
  missingBytes: number;
}

/** Cards whose free memory differs by less than this share are similar: their exact split is taken, with a little play. */
const similarWithin = 0.5;
/** How much a card's free memory changes between two looks at it, bytes. */
const unsteadyBytes = 32 * 2 ** 20;

export function placedModel(shape: ModelShape, weights: ModelWeights): PlacedModel {
  const layerSums = [0];
  for (const bytes of weights.layerBytes) layerSums.push((layerSums.at(-1) ?? 0) + bytes);
  return { shape, weights, layerSums, heaviestLayerBytes: Math.max(0, ...weights.layerBytes) };
}

/** Everything in main memory. */
export function placeOnCpu({ shape, weights }: PlacedModel, need: ContextNeed, machine: Machine): Placement {
  const cpu = cpuDevice(machine, shape, {
    weightsBytes: weights.weightsBytes,
    kvCacheBytes: kvTokens(need) * kvBytesPerTokenAndLayer(shape, need.kvCacheType) * shape.layers,
    computeBytes: cpuComputeBytes(shape, need),
  });
  return { kind: "cpu", gpuLayers: 0, devices: [cpu], missingBytes: shortOf(cpu) };
}

/**
 * `gpuLayers` layers on these GPUs, the rest in main memory. The output counts as one layer more than the model's own and
 * comes last. llama.cpp deals the layers in order, whole ones, in proportion to each visible device's free memory
 * (`load_tensors` in llama-model.cpp, default split); a card has to hold what that gives it, whatever its neighbour could.
 */
export function placeOnGpus(
  model: PlacedModel,
  need: ContextNeed,
  machine: Machine,
  gpus: readonly UsableGpu[],
  gpuLayers: number,
): Placement {
  const { shape, weights, layerSums } = model;
  const isWhole = gpuLayers > shape.layers;
  const isPipelined = isWhole && gpus.length > 1;
  const firstLayer = shape.layers + 1 - gpuLayers;
  const layerKv = kvTokens(need) * kvBytesPerTokenAndLayer(shape, need.kvCacheType);
  const outputBytes = weights.outputBytes + (weights.isTied ? weights.inputBytes : 0);
  const visitorBytes = isWhole ? 0 : largestTensorBytes(model);
  const overheadBytes = gpuOverheadBytes(shape);
  const splits = splitPoints(gpus, overheadBytes);
  const spread = spreadOf(gpus, gpuLayers);

  let start = 0;
  const roundings: number[] = [];
  const onGpus = gpus.map((gpu, index): DeviceMemory => {
    const from = (splits[index - 1] ?? 0) * gpuLayers;
    const isLast = index === gpus.length - 1;
    const to = isLast ? gpuLayers : (splits[index] ?? 1) * gpuLayers;
    const end = isLast ? gpuLayers : dealtUntil(splits[index] ?? 1, gpuLayers);
    const layers = Math.max(0, Math.min(end, gpuLayers - 1) - start);
    const hasOutput = end === gpuLayers && start < end;
    const layerBytes = sumUntil(layerSums, firstLayer + start + layers) - sumUntil(layerSums, firstLayer + start);
    roundings.push(
      spread === null
        ? shareBytes(model, layerKv, firstLayer + from, firstLayer + to) - layerBytes - layers * layerKv
        : (countWithin(from - spread, to + spread, gpuLayers) - (end - start)) * (model.heaviestLayerBytes + layerKv),
    );
    start = end;
    return {
      id: gpu.id,
      name: gpu.name,
      weightsBytes: Math.ceil(layerBytes + (hasOutput ? outputBytes : 0)),
      kvCacheBytes: Math.ceil(layers * layerKv),
      computeBytes: gpuComputeBytes(shape, need, { isPipelined, hasOutput: hasOutput || isLast, visitorBytes }),
      overheadBytes: overheadBytes + (machine.corrections.get(gpu.id) ?? 0),
      reserveBytes: machine.gpuReserveBytes,
      totalBytes: gpu.totalBytes ?? gpu.freeBytes,
      freeBytes: gpu.freeBytes,
      usedByOthersBytes: Math.max(0, (gpu.totalBytes ?? gpu.freeBytes) - gpu.freeBytes),
    };
  });
  const cpu = cpuDevice(machine, shape, {
    weightsBytes: Math.ceil(weights.inputBytes + sumUntil(layerSums, firstLayer)),
    kvCacheBytes: Math.ceil(layerKv * firstLayer),
    computeBytes: hostComputeBytes(shape, need, isPipelined, !isWhole),
  });
  // What is short anyway is told without the room for rounding; a plan that fits keeps it.
  if (onGpus.every((gpu) => shortOf(gpu) === 0)) {
    for (const [index, gpu] of onGpus.entries()) gpu.reserveBytes += Math.max(0, Math.ceil(roundings[index] ?? 0));
  }
  const devices = [...onGpus, cpu];
  const missingBytes = devices.reduce((sum, device) => sum + shortOf(device), 0);
  const kind = isWhole ? (gpus.length > 1 ? "multi-gpu" : "gpu") : "partial";
  return { kind, gpuLayers, devices, missingBytes };
}

/** What a device would have to have free, bytes. */
export function neededBytes(device: DeviceMemory): number {
  const { weightsBytes, kvCacheBytes, computeBytes, overheadBytes, reserveBytes } = device;
  return weightsBytes + kvCacheBytes + computeBytes + overheadBytes + reserveBytes;
}

export function shortOf(device: DeviceMemory): number {
  return Math.max(0, neededBytes(device) - device.freeBytes);
}

/** Where each card's share of the layers ends, 0..1, in single precision as llama.cpp computes it. */
function splitPoints(gpus: readonly UsableGpu[], overheadBytes: number): number[] {
  // llama.cpp reads the free memory after its CUDA context is there.
  const free = gpus.map(({ freeBytes }) => Math.fround(Math.max(1, freeBytes - overheadBytes)));
  let sum = 0;
  const sums = free.map((bytes) => (sum = Math.fround(sum + bytes)));
  return sums.map((bytes) => Math.fround(bytes / sum));
}

/** The first layer (counted from the first on a GPU) that lies beyond this split point. */
function dealtUntil(split: number, gpuLayers: number): number {
  let end = Math.min(gpuLayers, Math.ceil(split * gpuLayers));
  while (end > 0 && Math.fround((end - 1) / gpuLayers) >= split) end--;
  while (end < gpuLayers && Math.fround(end / gpuLayers) < split) end++;
  return end;
}

/**
 * By how many layers a split point of similar cards can be off when the model is loaded; null for cards that differ. A few
 * megabytes more or less in use can move a whole layer to the next card, so a plan that holds must hold either way.
 */
function spreadOf(gpus: readonly UsableGpu[], gpuLayers: number): number | null {
  const free = gpus.map(({ freeBytes }) => freeBytes);
  const most = Math.max(...free);
  if (most - Math.min(...free) > most * similarWithin) return null;
  return gpus.length === 1 ? 0 : (gpuLayers * unsteadyBytes) / free.reduce((sum, bytes) => sum + bytes, 0);
}

/** Whole layers that begin from `from` on and before `to`. */
function countWithin(from: number, to: number, gpuLayers: number): number {
  return Math.ceil(Math.min(to, gpuLayers)) - Math.ceil(Math.max(from, 0));
}

/** The most a card gets, bytes, however the layers fall: its exact share and one layer. */
function shareBytes(model: PlacedModel, layerKv: number, from: number, to: number): number {
  const share = sumUntil(model.layerSums, to) - sumUntil(model.layerSums, from);
  return share + model.heaviestLayerBytes + (to - from + 1) * layerKv;
}

/** Bytes of the first `layers` layers, which need not be a whole number. */
function sumUntil(layerSums: readonly number[], layers: number): number {
  const most = layerSums.length - 1;
  const whole = Math.min(most, Math.floor(layers));
  const below = layerSums[whole] ?? 0;
  return below + ((layerSums[Math.min(most, whole + 1)] ?? below) - below) * (layers - whole);
}

/** A feed-forward matrix: of a layer's tensors, the largest. */
function largestTensorBytes({ shape, heaviestLayerBytes }: PlacedModel): number {
  const matrix = shape.feedForwardLength * shape.embeddingLength;
  const queries = shape.embeddingLength * shape.heads * shape.keyLength;
  const keysAndValues = shape.embeddingLength * shape.keyValueHeads * (shape.keyLength + shape.valueLength);
  return Math.ceil((heaviestLayerBytes * matrix) / (3 * matrix + 2 * queries + keysAndValues));
}

function cpuDevice(
  { hardware: { memory, cpu }, cpuReserveBytes, corrections }: Machine,
  shape: ModelShape,
  parts: Pick<DeviceMemory, "weightsBytes" | "kvCacheBytes" | "computeBytes">,
): DeviceMemory {
  return {
    id: "cpu",
    name: cpu.name,
    ...parts,
    overheadBytes: workerOverheadBytes(shape) + (corrections.get("cpu") ?? 0),
    reserveBytes: cpuReserveBytes,
    totalBytes: memory.totalBytes,
    freeBytes: memory.availableBytes,
    usedByOthersBytes: Math.max(0, memory.totalBytes - memory.availableBytes),
  };
}
