import type { DeviceMemory, GpuDevice, HardwareSnapshot, KvCacheType, ModelShape } from "@corral/protocol";
import {
  computeBytes,
  cpuOverheadBytes,
  gpuOverheadBytes,
  gpuReserveBytes,
  kvBytesPerToken,
  memoryReserveBytes,
} from "./memory-model.ts";

/** The model as far as memory is concerned. Bytes. */
export interface ModelWeights {
  shape: ModelShape;
  weightsBytes: number;
  /** The token embedding: always in main memory. */
  inputBytes: number;
  /** The output matrix and norm as the file holds them. */
  outputBytes: number;
  /** The model has no output matrix of its own: llama.cpp makes a second copy of the token embedding. */
  isTied: boolean;
}

/** The context to make room for. */
export interface ContextNeed {
  /** Tokens of one sequence. */
  contextSize: number;
  sequences: number;
  kvCacheType: KvCacheType;
}

/** Where each part of a model would lie. */
export interface Placement {
  kind: "gpu" | "multi-gpu" | "partial" | "cpu";
  gpuLayers: number;
  devices: DeviceMemory[];
  /** Bytes over all devices that are short. */
  missingBytes: number;
}

/** A GPU whose free memory is known. */
export type UsableGpu = GpuDevice & { freeBytes: number };

/** Everything in main memory. */
export function placeOnCpu(model: ModelWeights, need: ContextNeed, hardware: HardwareSnapshot): Placement {
  const cpu = cpuDevice(hardware, {
    weightsBytes: model.weightsBytes,
    kvCacheBytes: kvBytes(model.shape, need),
    computeBytes: computeBytes(model.shape, need.contextSize * need.sequences, 1),
  });
  return { kind: "cpu", gpuLayers: 0, devices: [cpu], missingBytes: missing([cpu]) };
}

/**
 * `gpuLayers` layers (the output counts as one more than the model's own) on these GPUs, the rest in main memory. Layers
 * are dealt as llama.cpp deals them: in order, in proportion to each device's free memory.
 */
export function placeOnGpus(
  model: ModelWeights,
  need: ContextNeed,
  hardware: HardwareSnapshot,
  gpus: readonly UsableGpu[],
  gpuLayers: number,
): Placement {
  const { shape } = model;
  const layerBytes = Math.max(0, model.weightsBytes - model.inputBytes - model.outputBytes) / shape.layers;
  const outputBytes = model.outputBytes + (model.isTied ? model.inputBytes : 0);
  const layerKvBytes = kvBytes(shape, need) / shape.layers;
  const free = gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0);
  const compute = computeBytes(shape, need.contextSize * need.sequences, gpus.length);

  const weights = gpus.map(() => 0);
  const kv = gpus.map(() => 0);
  const first = shape.layers + 1 - gpuLayers;
  for (let layer = first; layer <= shape.layers; layer++) {
    const device = deviceOf((layer - first) / gpuLayers, gpus, free);
    const isOutput = layer === shape.layers;
    weights[device] = (weights[device] ?? 0) + (isOutput ? outputBytes : layerBytes);
    kv[device] = (kv[device] ?? 0) + (isOutput ? 0 : layerKvBytes);
  }
  const onGpus = gpus.map((gpu, index) =>
    withTotal({
      id: gpu.id,
      name: gpu.name,
      weightsBytes: Math.ceil(weights[index] ?? 0),
      kvCacheBytes: Math.ceil(kv[index] ?? 0),
      computeBytes: compute,
      overheadBytes: gpuOverheadBytes,
      reserveBytes: gpuReserveBytes,
      freeBytes: gpu.freeBytes,
    }),
  );
  const isWhole = gpuLayers > shape.layers;
  const cpuLayers = isWhole ? 0 : first;
  const cpu = cpuDevice(hardware, {
    weightsBytes: Math.ceil(model.inputBytes + layerBytes * cpuLayers),
    kvCacheBytes: Math.ceil(layerKvBytes * cpuLayers),
    computeBytes: cpuLayers > 0 ? compute : 0,
  });
  const devices = [...onGpus, cpu];
  const kind = isWhole ? (gpus.length > 1 ? "multi-gpu" : "gpu") : "partial";
  return { kind, gpuLayers, devices, missingBytes: missing(devices) };
}

function kvBytes(shape: ModelShape, need: ContextNeed): number {
  return kvBytesPerToken(shape, need.kvCacheType) * need.contextSize * need.sequences;
}

function deviceOf(fraction: number, gpus: readonly UsableGpu[], free: number): number {
  let sum = 0;
  for (const [index, gpu] of gpus.entries()) {
    sum += gpu.freeBytes;
    if (fraction < sum / free) return index;
  }
  return gpus.length - 1;
}

function cpuDevice(
  { memory, cpu }: HardwareSnapshot,
  parts: Pick<DeviceMemory, "weightsBytes" | "kvCacheBytes" | "computeBytes">,
): DeviceMemory {
  return withTotal({
    id: "cpu",
    name: cpu.name,
    ...parts,
    overheadBytes: cpuOverheadBytes,
    reserveBytes: memoryReserveBytes(memory.totalBytes),
    freeBytes: memory.availableBytes,
  });
}

function withTotal(device: Omit<DeviceMemory, "totalBytes">): DeviceMemory {
  const { weightsBytes, kvCacheBytes, computeBytes: compute, overheadBytes, reserveBytes } = device;
  return { ...device, totalBytes: weightsBytes + kvCacheBytes + compute + overheadBytes + reserveBytes };
}

function missing(devices: readonly DeviceMemory[]): number {
  return devices.reduce((sum, { totalBytes, freeBytes }) => sum + Math.max(0, totalBytes - freeBytes), 0);
}
