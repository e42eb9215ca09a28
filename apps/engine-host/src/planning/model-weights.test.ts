import { CorralError, type ModelShape } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { checkShape } from "./model-shape.ts";
import { weightsFromHeader, weightsOf } from "./model-weights.ts";
import { catalogModel } from "./testing/catalog.ts";

describe("weights from the shape", () => {
  /** Vocabulary, merges and chat template of Llama 3 in a GGUF header. */
  const headerBytes = 7.8e6;
  /** Sizes of the files on Hugging Face (bartowski, unsloth, meta-llama's GGUF conversions), GB. */
  it.each([
    ["8b", "BF16", 16.07],
    ["8b", "Q8_0", 8.54],
    ["8b", "Q6_K", 6.6],
    ["8b", "Q5_K_M", 5.73],
    ["8b", "Q4_K_M", 4.92],
    ["8b", "Q4_K_S", 4.69],
    ["8b", "IQ4_XS", 4.45],
    ["70b", "Q8_0", 74.98],
    ["70b", "Q6_K", 57.89],
    ["70b", "Q5_K_M", 49.95],
    ["70b", "Q4_K_M", 42.52],
    ["70b", "IQ4_XS", 37.9],
    ["405b", "BF16", 811.8],
    ["405b", "Q8_0", 431.3],
    ["405b", "Q4_K_M", 243.1],
    ["3b", "Q8_0", 3.42],
    ["3b", "Q4_K_M", 2.02],
    ["1b", "Q8_0", 1.32],
    ["1b", "Q4_K_M", 0.808],
  ] as const)("%s %s is the published %d GB within 0.5 %%", (size, quantization, gigabytes) => {
    const { shape, isTied } = catalogModel(size);
    const { weightsBytes } = weightsOf(shape, isTied, quantization);
    expect(Math.abs((weightsBytes + headerBytes) / 1e9 / gigabytes - 1)).toBeLessThan(0.005);
  });

  it("adds up to its parts", () => {
    const { shape, isTied } = catalogModel("70b");
    const weights = weightsOf(shape, isTied, "q4_k_m");
    const layers = weights.layerBytes.reduce((sum, bytes) => sum + bytes, 0);
    expect(weights.layerBytes).toHaveLength(80);
    expect(weights.inputBytes + weights.outputBytes + layers).toBe(weights.weightsBytes);
    // More bits in the first and last eighth.
    expect(weights.layerBytes[0]).toBeGreaterThan(weights.layerBytes[10] ?? Infinity);
  });

  it("takes the quantizer's fallbacks for rows that do not fill a block of 256", () => {
    const shape: ModelShape = { ...catalogModel("1b").shape, embeddingLength: 480, heads: 15, keyValueHeads: 5 };
    const perValue = weightsOf(shape, true, "Q4_K_M").inputBytes / (shape.vocabularySize * 480);
    expect(perValue).toBe(34 / 32);
  });

  it("says which quantizations it knows", () => {
    const { shape } = catalogModel("8b");
    expect(() => weightsOf(shape, false, "Q9_Z")).toThrow(/Q4_K_M/);
  });
});

describe("weights from a header", () => {
  it("spreads what belongs to no layer, and takes equal layers when none are told", () => {
    const { shape } = catalogModel("1b");
    const totals = { weightsBytes: 1000, inputBytes: 100, outputBytes: 100, isTied: false };
    const equal = weightsFromHeader(shape, "Q8_0", totals);
    expect(equal.layerBytes).toEqual(Array(16).fill(50));
    const told = weightsFromHeader(shape, "Q8_0", { ...totals, layerBytes: Array<number>(16).fill(40) });
    expect(told.layerBytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(800);
  });
});

describe("a shape no model has", () => {
  const { shape } = catalogModel("8b");
  it.each([
    ["layers", 0],
    ["layers", -1],
    ["heads", 2 ** 60],
    ["parameters", NaN],
    ["embeddingLength", 4096.5],
    ["feedForwardLength", Infinity],
    ["keyLength", 0],
    ["valueLength", -128],
    ["vocabularySize", 2 ** 40],
    ["trainContextSize", 0],
    ["keyValueHeads", 33],
  ] as const)("is refused for %s = %d, by name", (field, value) => {
    let error: unknown;
    try {
      checkShape({ ...shape, [field]: value });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CorralError);
    expect(error).toMatchObject({ code: "INVALID_INPUT", data: { field } });
    const absurd = { ...shape, [field]: value };
    const totals = { weightsBytes: 1, inputBytes: 0, outputBytes: 0, isTied: false };
    expect(() => weightsOf(absurd, false, "BF16")).toThrow(CorralError);
    expect(() => weightsFromHeader(absurd, "BF16", totals)).toThrow(CorralError);
  });

  it("is not a string where a number belongs", () => {
    expect(() => checkShape({ ...shape, layers: "32" as unknown as number })).toThrow(/layers/);
  });
});
