import type { PlanHardware, SpeedEstimate } from "@corral/protocol";
import { cpuPerformance, devicePerformance, type DevicePerformance, type Range } from "./device-performance.ts";
import { kvBytesPerTokenAndLayer, type ContextNeed } from "./memory-model.ts";
import type { PlacedModel, Placement } from "./placement.ts";

/**
 * Share of the data sheet's bandwidth that decoding reaches in llama.cpp; together with the times below, published
 * benchmarks lie between these (cards with HBM reach less of theirs than those with GDDR: pavlokhmel.com, 13 GPUs, 2026).
 */
const decodeEfficiency: Range = { low: 0.4, high: 0.85 };
/** Share of the data sheet's arithmetic that reading a prompt in batches of 512 reaches. */
const prefillEfficiency: Range = { low: 0.12, high: 0.5 };
/** Starting the kernels of one layer, and handing a token on to the next device, seconds. */
const secondsPerLayer: Range = { low: 120e-6, high: 15e-6 };
const secondsPerDevice: Range = { low: 60e-6, high: 15e-6 };
/** A good NVMe disk as a file is read through the page cache, bytes per second. The planner does not know the disk. */
const diskBytesPerSecond = 2e9;
/** Starting the worker, its libraries and contexts, seconds. */
const startSeconds = 2;

/**
 * How fast a placement would be. Decoding reads every weight, and the keys and values so far, once per token, on each device
 * in turn; reading a prompt is bound by arithmetic: two operations per weight and token, and the attention.
 */
export function estimateSpeed(
  model: PlacedModel,
  need: ContextNeed,
  placement: Placement,
  hardware: PlanHardware,
): SpeedEstimate {
  const { shape, weights } = model;
  const context = Math.max(...need.slots.map(({ contextSize }) => contextSize));
  const kvBytes = kvBytesPerTokenAndLayer(shape, need.kvCacheType) * shape.layers * context;
  const allKv = placement.devices.reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
  const isOnCpu = placement.kind === "cpu";
  const computed = weights.weightsBytes - weights.inputBytes + (weights.isTied ? weights.inputBytes : 0);
  // Two operations per weight; attention compares a token with half the context on average.
  const weightFlops = 2 * (shape.parameters - (weights.isTied ? 0 : shape.vocabularySize * shape.embeddingLength));
  const attentionFlops = 2 * shape.layers * shape.heads * (shape.keyLength + shape.valueLength) * (context / 2);

  const time = { decode: { low: 0, high: 0 }, prefill: { low: 0, high: 0 } };
  for (const end of ["low", "high"] as const) {
    time.decode[end] += shape.layers * secondsPerLayer[end] + placement.devices.length * secondsPerDevice[end];
  }
  for (const device of placement.devices) {
    const isCpu = device.id === "cpu";
    // Of the token embedding in main memory only one row is read.
    const read = isOnCpu ? computed : device.weightsBytes - (isCpu ? weights.inputBytes : 0);
    if (read <= 0) continue;
    const share = read / computed;
    const kvShare = allKv > 0 ? device.kvCacheBytes / allKv : 0;
    const { bytesPerSecond, flops } = performanceOf(device.id, device.name, hardware);
    for (const end of ["low", "high"] as const) {
      const kvRead = end === "low" ? kvBytes * kvShare : 0;
      time.decode[end] += (read + kvRead) / (bytesPerSecond[end] * decodeEfficiency[end]);
      const work = weightFlops * share + (end === "low" ? attentionFlops * kvShare : 0);
      time.prefill[end] += work / (flops[end] * prefillEfficiency[end]);
    }
  }
  return {
    decodeTokensPerSecond: { low: rounded(1 / time.decode.low), high: rounded(1 / time.decode.high) },
    prefillTokensPerSecond: { low: rounded(1 / time.prefill.low), high: rounded(1 / time.prefill.high) },
    loadSeconds: rounded(startSeconds + weights.weightsBytes / diskBytesPerSecond),
  };
}

function performanceOf(id: string, name: string, { cpu, gpus }: PlanHardware): DevicePerformance {
  if (id === "cpu") return cpuPerformance(cpu.physicalCores);
  return devicePerformance(name, gpus.find((gpu) => gpu.id === id)?.vendor ?? "");
}

/** Three digits; more would pretend to know. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
