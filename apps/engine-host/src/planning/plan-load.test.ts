import type { GpuDevice, HardwareSnapshot, ModelShape } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { computeBytes, kvBytesPerToken } from "./memory-model.ts";
import { planLoad, type PlannedModel } from "./plan-load.ts";
import { tierLabel, tierOf } from "./precision-tier.ts";

const gib = 2 ** 30;
const base = {
  architecture: "llama",
  keyLength: 128,
  valueLength: 128,
  vocabularySize: 128_256,
  trainContextSize: 131_072,
};
const shapes = {
  "1B": {
    ...base,
    parameters: 1_235_814_400,
    layers: 16,
    embeddingLength: 2048,
    feedForwardLength: 8192,
    heads: 32,
    keyValueHeads: 8,
    keyLength: 64,
    valueLength: 64,
  },
  "3B": {
    ...base,
    parameters: 3_212_749_824,
    layers: 28,
    embeddingLength: 3072,
    feedForwardLength: 8192,
    heads: 24,
    keyValueHeads: 8,
  },
  "8B": {
    ...base,
    parameters: 8_030_261_248,
    layers: 32,
    embeddingLength: 4096,
    feedForwardLength: 14_336,
    heads: 32,
    keyValueHeads: 8,
  },
  "70B": {
    ...base,
    parameters: 70_553_706_496,
    layers: 80,
    embeddingLength: 8192,
    feedForwardLength: 28_672,
    heads: 64,
    keyValueHeads: 8,
  },
  "405B": {
    ...base,
    parameters: 405_853_388_800,
    layers: 126,
    embeddingLength: 16_384,
    feedForwardLength: 53_248,
    heads: 128,
    keyValueHeads: 8,
  },
} satisfies Record<string, ModelShape>;

function model(size: keyof typeof shapes, quantization: string, bitsPerWeight: number): PlannedModel {
  const shape = shapes[size];
  const embedding = shape.vocabularySize * shape.embeddingLength;
  const bytes = (weights: number) => Math.round((weights * bitsPerWeight) / 8);
  return {
    id: size,
    quantization,
    shape,
    weightsBytes: bytes(shape.parameters),
    inputBytes: bytes(embedding),
    outputBytes: bytes(embedding),
    isTied: false,
  };
}

function machine(memoryGib: number, gpuGib: number[] = [], more: Partial<HardwareSnapshot> = {}): HardwareSnapshot {
  return {
    takenAt: "",
    os: { platform: "linux", distribution: "Test", architecture: "x64" },
    cpu: { name: "Test CPU", physicalCores: 16, logicalCores: 32 },
    memory: { totalBytes: memoryGib * gib, availableBytes: memoryGib * gib },
    gpus: gpuGib.map((free, index) => gpu(index, free * gib)),
    disk: { path: "/", freeBytes: null },
    notes: [],
    ...more,
  };
}

const gpu = (index: number, freeBytes: number | null): GpuDevice => ({
  id: `GPU-${index}`,
  index,
  name: `GPU ${index}`,
  vendor: "NVIDIA",
  totalBytes: freeBytes,
  freeBytes,
  driver: null,
  source: "test",
});

const wish = (contextSize: number | null, sequences = 1) => ({ contextSize, sequences });

describe("KV cache", () => {
  it.each([
    ["1B", 32_768],
    ["3B", 114_688],
    ["8B", 131_072],
    ["70B", 327_680],
    ["405B", 516_096],
  ] as const)("%s takes %i bytes per token in f16 (design.md §5)", (size, bytes) => {
    expect(kvBytesPerToken(shapes[size], "f16")).toBe(bytes);
    expect(kvBytesPerToken(shapes[size], "q8_0")).toBe((bytes * 34) / 64);
  });

  it("agrees with llama.cpp's reported compute buffer of 8B at 8,192 tokens (258 MiB), never below it", () => {
    const estimate = computeBytes(shapes["8B"], 8192, 1) / 2 ** 20;
    expect(estimate).toBeGreaterThanOrEqual(258);
    expect(estimate).toBeLessThan(400);
  });
});

describe("tiers", () => {
  it.each([
    ["BF16", "BF16"],
    ["F16", "BF16"],
    ["Q8_0", "FP8"],
    ["Q6_K", "FP8"],
    ["Q5_K_M", "INT4"],
    ["Q4_K_M", "INT4"],
    ["IQ4_XS", "INT4"],
    ["MXFP4", "INT4"],
  ])("%s belongs to %s", (quantization, tier) => {
    expect(tierOf(quantization)).toBe(tier);
  });

  it("says that the FP8 tier is Q8_0 here", () => {
    expect(tierLabel("Q8_0")).toBe("FP8 tier · Q8_0");
    expect(tierLabel("BF16")).toBe("BF16 · BF16");
  });
});

describe("planLoad", () => {
  it("puts 8B Q8_0 with its full context on one 48 GiB GPU", () => {
    const plan = planLoad(model("8B", "Q8_0", 8.5), machine(64, [47]), wish(null));
    expect(plan).toMatchObject({
      fits: true,
      placement: "gpu",
      gpuLayers: 33,
      contextSize: 131_072,
      kvCacheType: "f16",
      tier: "FP8",
    });
    const [device] = plan.devices;
    expect(device?.kvCacheBytes).toBe(16 * gib);
    expect(device?.totalBytes).toBeLessThanOrEqual(47 * gib);
    expect(plan.devices.at(-1)?.id).toBe("cpu");
  });

  it("takes the 8-bit KV cache before it shortens the context", () => {
    const plan = planLoad(model("8B", "Q8_0", 8.5), machine(64, [23.5]), wish(null));
    expect(plan).toMatchObject({ fits: true, placement: "gpu", contextSize: 131_072, kvCacheType: "q8_0" });
    expect(plan.reasons.join(" ")).toContain("q8_0");
  });

  it("shortens the context with a reason when it must", () => {
    const plan = planLoad(model("8B", "Q8_0", 8.5), machine(64, [15]), wish(null));
    expect(plan).toMatchObject({ fits: true, placement: "gpu" });
    expect(plan.contextSize).toBeLessThan(131_072);
    expect(plan.reasons.join(" ")).toMatch(/context is [\d,]+ tokens instead of 131,072/);
  });

  it("prefers one GPU to several, and says so", () => {
    const plan = planLoad(model("8B", "Q4_K_M", 4.9), machine(64, [24, 47]), wish(null));
    expect(plan).toMatchObject({ placement: "gpu", tier: "INT4" });
    expect(plan.devices[0]?.name).toBe("GPU 1");
    expect(plan.reasons[0]).toContain("one GPU");
  });

  it("spreads 70B Q4_K_M over two GPUs and never plans on pooled memory", () => {
    const plan = planLoad(model("70B", "Q4_K_M", 4.85), machine(128, [47, 47]), wish(32_768));
    expect(plan).toMatchObject({ fits: true, placement: "multi-gpu", gpuLayers: 81, contextSize: 32_768 });
    for (const device of plan.devices) expect(device.totalBytes).toBeLessThanOrEqual(device.freeBytes);
    const weights = plan.devices.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
    expect(Math.abs(weights - model("70B", "Q4_K_M", 4.85).weightsBytes)).toBeLessThan(100);
  });

  it("holds 405B Q8_0 on eight 80 GiB GPUs, the KV cache with its layers", () => {
    const plan = planLoad(model("405B", "Q8_0", 8.5), machine(512, Array<number>(8).fill(79)), wish(131_072));
    expect(plan).toMatchObject({ fits: true, placement: "multi-gpu" });
    const kv = plan.devices.reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
    expect(kv).toBeGreaterThanOrEqual(kvBytesPerToken(shapes["405B"], plan.kvCacheType) * 131_072);
  });

  it("keeps part of the layers in main memory when the GPUs are too small", () => {
    const plan = planLoad(model("70B", "Q4_K_M", 4.85), machine(64, [23.5]), wish(null));
    expect(plan).toMatchObject({ fits: true, placement: "partial" });
    expect(plan.gpuLayers).toBeGreaterThan(20);
    expect(plan.gpuLayers).toBeLessThan(80);
    expect(plan.reasons[0]).toContain(`${plan.gpuLayers} layers`);
    const tooMany = planLoad(model("70B", "Q4_K_M", 4.85), machine(64, [24.2]), wish(null));
    expect(tooMany.gpuLayers).toBeGreaterThanOrEqual(plan.gpuLayers);
  });

  it("runs on the CPU without a GPU, with a modest context unless more is asked for", () => {
    const plan = planLoad(model("1B", "Q8_0", 8.5), machine(16), wish(null));
    expect(plan).toMatchObject({ fits: true, placement: "cpu", gpuLayers: 0, contextSize: 8192, threads: 16 });
    expect(planLoad(model("1B", "Q8_0", 8.5), machine(16), wish(65_536)).contextSize).toBe(65_536);
  });

  it("never gives more context than the model was trained for", () => {
    const plan = planLoad(model("1B", "Q8_0", 8.5), machine(64), wish(1_000_000));
    expect(plan.contextSize).toBe(131_072);
    expect(plan.reasons.join(" ")).toContain("trained");
  });

  it("says what is missing when nothing fits", () => {
    const plan = planLoad(model("405B", "BF16", 16), machine(64, [24]), wish(null));
    expect(plan).toMatchObject({ fits: false, placement: "none" });
    expect(plan.missingBytes).toBeGreaterThan(600 * gib);
    expect(plan.reasons[0]).toMatch(/does not fit: [\d.]+ GiB are missing/);
  });

  it("leaves out a GPU whose free memory is unknown, with a reason", () => {
    const hardware = machine(32, [], { gpus: [gpu(0, null)] });
    const plan = planLoad(model("1B", "Q8_0", 8.5), hardware, wish(null));
    expect(plan.placement).toBe("cpu");
    expect(plan.reasons.join(" ")).toContain("GPU 0 is left out");
  });

  it("counts every sequence's own KV cache", () => {
    const one = planLoad(model("1B", "Q8_0", 8.5), machine(64), wish(8192, 1));
    const four = planLoad(model("1B", "Q8_0", 8.5), machine(64), wish(8192, 4));
    expect(four.devices[0]?.kvCacheBytes).toBe(4 * (one.devices[0]?.kvCacheBytes ?? 0));
    expect(four.slots).toEqual([{ contextSize: 8192, count: 4 }]);
  });

  it("puts the tied output matrix on the GPU as a second copy", () => {
    const tied: PlannedModel = { ...model("1B", "Q8_0", 8.5), outputBytes: 0, isTied: true };
    const plan = planLoad(tied, machine(32, [16]), wish(8192));
    const weights = plan.devices.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
    expect(Math.abs(weights - tied.weightsBytes - tied.inputBytes)).toBeLessThan(100);
  });
});
