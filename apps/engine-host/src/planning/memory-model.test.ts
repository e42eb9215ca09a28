import { describe, expect, it } from "vitest";
import { cpuComputeBytes, gpuComputeBytes, kvBytesPerTokenAndLayer } from "./memory-model.ts";
import { catalogModel } from "./testing/catalog.ts";

const mebibyte = 2 ** 20;
const need = (contextSize: number, kvCacheType: "f16" | "q8_0" = "f16", count = 1) => ({
  slots: [{ contextSize, count }],
  kvCacheType,
});

describe("KV cache", () => {
  it.each([
    ["1b", 32_768],
    ["3b", 114_688],
    ["8b", 131_072],
    ["70b", 327_680],
    ["405b", 516_096],
  ] as const)("%s takes %i bytes per token in f16 (design.md §5), 34/64 of that in q8_0", (size, bytes) => {
    const { shape } = catalogModel(size);
    expect(kvBytesPerTokenAndLayer(shape, "f16") * shape.layers).toBe(bytes);
    expect(kvBytesPerTokenAndLayer(shape, "q8_0") * shape.layers).toBe((bytes * 34) / 64);
  });
});

describe("compute buffer", () => {
  /**
   * What llama.cpp of 2026-09-28 (in node-llama-cpp 3.22.1; no_alloc dry run, CPU, batch 512, flash attention) reserves for
   * these shapes with 128,256 tokens of vocabulary, MiB.
   */
  it.each([
    ["1b", 8192, "f16", 258.5],
    ["1b", 131_072, "f16", 258.5],
    ["1b", 131_072, "q8_0", 262.5],
    ["3b", 32_768, "f16", 262.5],
    ["3b", 131_072, "q8_0", 268.5],
    ["8b", 8192, "f16", 266.5],
    ["8b", 131_072, "f16", 266.5],
    ["8b", 32_768, "q8_0", 274.5],
    ["70b", 8192, "f16", 282.5],
    ["70b", 131_072, "f16", 360.01],
    ["70b", 32_768, "q8_0", 298.5],
    ["70b", 131_072, "q8_0", 344.09],
    ["405b", 8192, "f16", 448.01],
    ["405b", 32_768, "f16", 472.01],
    ["405b", 131_072, "f16", 568.01],
    ["405b", 32_768, "q8_0", 440.09],
    ["405b", 131_072, "q8_0", 536.09],
  ] as const)(
    "%s at %i tokens with %s KV is what llama.cpp reserves (%d MiB)",
    (size, context, kvCacheType, reported) => {
      const bytes = cpuComputeBytes(catalogModel(size).shape, need(context, kvCacheType), 512);
      expect(bytes / mebibyte).toBeCloseTo(reported, 0);
    },
  );

  it("does not grow with the number of equal sequences, as llama.cpp's dry run shows for four", () => {
    const { shape } = catalogModel("405b");
    expect(cpuComputeBytes(shape, need(8192, "f16", 4))).toBe(cpuComputeBytes(shape, need(8192)));
  });

  it("keeps four masks on each GPU of a pipeline, and room to turn a quantized cache back into f16", () => {
    const { shape } = catalogModel("8b");
    const alone = { isPipelined: false, hasOutput: true, visitorBytes: 0 };
    const inPipeline = { ...alone, isPipelined: true };
    const mask = 131_072 * 512 * 2;
    expect(gpuComputeBytes(shape, need(131_072), inPipeline)).toBeGreaterThan(4 * mask);
    const unquantized = 131_072 * 8 * (128 + 128) * 2;
    expect(gpuComputeBytes(shape, need(131_072, "q8_0"), alone)).toBeGreaterThan(mask + unquantized);
    expect(gpuComputeBytes(shape, need(131_072), alone)).toBeLessThan(2 * 2 ** 28);
  });

  it("counts each group of slots, as each is a context of its own", () => {
    const { shape } = catalogModel("8b");
    const slots = [
      { contextSize: 131_072, count: 1 },
      { contextSize: 8192, count: 3 },
    ];
    const both = cpuComputeBytes(shape, { slots, kvCacheType: "f16" });
    expect(both).toBe(cpuComputeBytes(shape, need(131_072)) + cpuComputeBytes(shape, need(8192, "f16", 3)));
  });
});
