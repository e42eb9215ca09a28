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

/** Cards count as equal when their free memory differs by less than this: llama.cpp then deals them equal shares. */
const equalWithin = 0.002;

export function placedModel(shape: ModelShape, weights: ModelWeights): PlacedModel {
  const layerSums = [0];
  for (const bytes of weights.layerBytes) layerSums.push((layerSums.at(-1) ?? 0) + bytes);
  return { shape, weights, layerSums, heaviestLayerBytes: Math.max(0, ...weights.layerBytes) };
}

/** Everything in main memory. */
export function placeOnCpu({ shape, weights }: PlacedModel, need: ContextNeed, machine: Machine): Placement {
  const cpu = cpuDevice(machine, {
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
  const areEqual = isEqualSplit(gpus);

  let start = 0;
  let missingBytes = 0;
  const devices: DeviceMemory[] = [];
  for (const [index, gpu] of gpus.entries()) {
    const split = splits[index] ?? 1;
    const isLast = index === gpus.length - 1;
    const end = isLast ? gpuLayers : dealtUntil(split, gpuLayers);
    const layers = Math.max(0, Math.min(end, gpuLayers - 1) - start);
    const hasOutput = end === gpuLayers && start < end;
    const layerBytes = sumUntil(layerSums, firstLayer + start + layers) - sumUntil(layerSums, firstLayer + start);
    const weightsBytes = Math.ceil(layerBytes + (hasOutput ? outputBytes : 0));
    const kvCacheBytes = Math.ceil(layers * layerKv);
    const previous = splits[index - 1] ?? 0;
    const rounding = areEqual
      ? 0
      : roundingBytes(model, layerKv, firstLayer, previous * gpuLayers, split * gpuLayers) -
        layerBytes -
        layers * layerKv;
    const device: DeviceMemory = {
      id: gpu.id,
      name: gpu.name,
      weightsBytes,
      kvCacheBytes,
      computeBytes: gpuComputeBytes(shape, need, { isPipelined, hasOutput: hasOutput || isLast, visitorBytes }),
      overheadBytes: overheadBytes + (machine.corrections.get(gpu.id) ?? 0),
      reserveBytes: machine.gpuReserveBytes + Math.max(0, Math.ceil(rounding)),
      totalBytes: gpu.totalBytes ?? gpu.freeBytes,
      freeBytes: gpu.freeBytes,
      usedByOthersBytes: Math.max(0, (gpu.totalBytes ?? gpu.freeBytes) - gpu.freeBytes),
    };
    devices.push(device);
    missingBytes += shortOf(device);
    start = end;
  }
  const cpu = cpuDevice(machine, {
    weightsBytes: Math.ceil(weights.inputBytes + sumUntil(layerSums, firstLayer)),
    kvCacheBytes: Math.ceil(layerKv * firstLayer),
    computeBytes: hostComputeBytes(shape, need, isPipelined, !isWhole),
  });
  devices.push(cpu);
  missingBytes += shortOf(cpu);
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

function isEqualSplit(gpus: readonly UsableGpu[]): boolean {
  const free = gpus.map(({ freeBytes }) => freeBytes);
  const most = Math.max(...free);
  return most - Math.min(...free) <= most * equalWithin;
}

/**
 * The most a card of an unequal set gets, bytes: its exact share and one layer. A few megabytes more or less in use when the
 * model is loaded can move a whole layer to the next card, so a plan that holds must hold either way.
 */
function roundingBytes(model: PlacedModel, layerKv: number, firstLayer: number, from: number, to: number): number {
  const share = sumUntil(model.layerSums, firstLayer + to) - sumUntil(model.layerSums, firstLayer + from);
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
  parts: Pick<DeviceMemory, "weightsBytes" | "kvCacheBytes" | "computeBytes">,
): DeviceMemory {
  return {
    id: "cpu",
    name: cpu.name,
    ...parts,
    overheadBytes: workerOverheadBytes + (corrections.get("cpu") ?? 0),
    reserveBytes: cpuReserveBytes,
    totalBytes: memory.totalBytes,
    freeBytes: memory.availableBytes,
    usedByOthersBytes: Math.max(0, memory.totalBytes - memory.availableBytes),
  };
}
