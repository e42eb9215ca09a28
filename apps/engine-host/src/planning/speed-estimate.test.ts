import { describe, expect, it } from "vitest";
import { parseGpuList } from "./gpu-list.ts";
import { devicePerformance } from "./device-performance.ts";
import { planLoad, type LoadWish } from "./plan-load.ts";
import { catalogModel } from "./testing/catalog.ts";

function estimate(size: "8b" | "70b" | "405b", machine: string, wish: Partial<LoadWish> = {}) {
  const made = planLoad(catalogModel(size), parseGpuList(machine), { contextSize: 8192, users: 1, ...wish });
  return { placement: made.placement, ...made.estimate };
}

describe("speed estimate", () => {
  /** Generation at short context with llama.cpp, as published in XiongjieDai/GPU-Benchmarks-on-LLM-Inference. */
  it.each([
    ["8b", "1x RTX 4090 24GB", "Q4_K_M", 128],
    ["8b", "1x RTX 3090 24GB", "Q4_K_M", 111],
    ["8b", "1x A100 80GB", "Q4_K_M", 138],
    ["8b", "1x H100 PCIe 80GB", "Q4_K_M", 144],
    ["70b", "2x RTX 4090 24GB", "Q4_K_M", 19],
    ["70b", "1x A100 80GB", "Q4_K_M", 22],
    ["70b", "1x H100 PCIe 80GB", "Q4_K_M", 25],
  ] as const)("%s on %s in %s: %d tokens per second lie in the range", (size, machine, quantization, measured) => {
    const { low, high } = estimate(size, machine, { pins: { quantization } }).decodeTokensPerSecond;
    expect(low).toBeLessThanOrEqual(measured);
    expect(high).toBeGreaterThanOrEqual(measured);
  });

  it("covers what was measured on two cores of a server: 1B in Q8_0, 36 to 53 tokens per second (design.md §4)", () => {
    const machine = { ...parseGpuList("cpu"), cpu: { name: "EPYC", physicalCores: 2, logicalCores: 2 } };
    const wish = { contextSize: 4096, users: 1, pins: { quantization: "Q8_0" } };
    const { low, high } = planLoad(catalogModel("1b"), machine, wish).estimate.decodeTokensPerSecond;
    expect(low).toBeLessThanOrEqual(36);
    expect(high).toBeGreaterThanOrEqual(53);
  });

  it("is slower with more to read per token, and much slower from main memory", () => {
    const on = (pins: LoadWish["pins"]) => estimate("8b", "1x H100 80GB", { pins }).decodeTokensPerSecond;
    expect(on({ tier: "BF16" }).high).toBeLessThan(on({ tier: "FP8" }).high);
    expect(on({ tier: "FP8" }).high).toBeLessThan(on({ tier: "INT4" }).high);
    expect(on({ placement: "cpu" }).high).toBeLessThan(on({}).low);
    const long = estimate("8b", "1x H100 80GB", { contextSize: 131_072 }).decodeTokensPerSecond;
    expect(long.low).toBeLessThan(on({}).low);
  });

  it("does not count further cards as faster: layers run one after the other", () => {
    const two = estimate("405b", "8x H200 141GB").decodeTokensPerSecond.high;
    const more = estimate("405b", "10x H200 141GB").decodeTokensPerSecond.high;
    expect(more).toBeLessThanOrEqual(two);
  });

  it("estimates loading from the size of the file", () => {
    expect(estimate("8b", "1x H100 80GB").loadSeconds).toBeGreaterThan(5);
    expect(estimate("405b", "8x H200 141GB").loadSeconds).toBeGreaterThan(300);
  });
});

describe("device performance", () => {
  it.each([
    ["NVIDIA H100 80GB HBM3", "NVIDIA", 3350],
    ["NVIDIA H100 PCIe", "NVIDIA", 2000],
    ["NVIDIA A100-SXM4-80GB", "NVIDIA", 2039],
    ["NVIDIA A100-PCIE-40GB", "NVIDIA", 1555],
    ["NVIDIA GeForce RTX 4090", "NVIDIA", 1008],
    ["NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA", 576],
    ["NVIDIA RTX 6000 Ada Generation", "NVIDIA", 960],
    ["NVIDIA RTX A6000", "NVIDIA", 768],
    ["NVIDIA L40S", "NVIDIA", 864],
    ["NVIDIA L4", "NVIDIA", 300],
    ["AMD Instinct MI300X", "AMD", 5300],
    ["AMD Radeon RX 7900 XTX", "AMD", 960],
    ["Intel(R) Arc(TM) A770 Graphics", "Intel", 560],
    ["Apple M2 Ultra", "Apple", 800],
    ["Apple M4 Max", "Apple", 546],
  ])("%s has %3$d GB/s", (name, vendor, gigabytes) => {
    expect(devicePerformance(name, vendor).bytesPerSecond.high).toBe(gigabytes * 1e9);
  });

  it("gives a wide range to a card it does not know", () => {
    const { low, high } = devicePerformance("Graphics Device", "NVIDIA").bytesPerSecond;
    expect(high / low).toBeGreaterThan(3);
  });
});
