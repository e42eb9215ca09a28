import { describe, expect, it } from "vitest";
import { parseGpuList } from "./gpu-list.ts";
import { fitMatrixOf } from "./fit-matrix.ts";
import { catalog } from "./testing/catalog.ts";

const matrix = (machine: string, contextSize: number | null = 131_072) =>
  fitMatrixOf(catalog, parseGpuList(machine), { contextSize, users: 1 });

describe("fit matrix", () => {
  it("has each model in each tier, best first", () => {
    const { cells } = matrix("1x H100 80GB");
    expect(cells).toHaveLength(catalog.length * 3);
    expect(cells.slice(0, 3).map(({ model, tier }) => [model, tier])).toEqual([
      ["llama-3.1-405b-instruct", "BF16"],
      ["llama-3.1-405b-instruct", "FP8"],
      ["llama-3.1-405b-instruct", "INT4"],
    ]);
  });

  it("tells full, shorter, partial and none apart, with their numbers", () => {
    const { cells } = matrix("1x RTX 4090 24GB");
    const of = (model: string, tier: string) => cells.find((cell) => cell.model === model && cell.tier === tier);
    expect(of("llama-3.1-8b-instruct", "FP8")).toMatchObject({ status: "full", contextSize: 131_072, missingBytes: 0 });
    expect(of("llama-3.1-8b-instruct", "BF16")).toMatchObject({ status: "shorter", wishedContextSize: 131_072 });
    expect(of("llama-3.1-70b-instruct", "INT4")).toMatchObject({ status: "partial" });
    const none = of("llama-3.1-405b-instruct", "BF16");
    expect(none?.status).toBe("none");
    expect(none?.missingBytes).toBeGreaterThan(700 * 2 ** 30);
    for (const cell of cells) expect(cell.neededBytes).toBeGreaterThan(cell.weightsBytes);
  });

  it("keeps on the frontier what nothing beats in quality, context and speed", () => {
    const { cells, frontier } = matrix("2x RTX 4090 24GB");
    const speed = ({ decodeTokensPerSecond: { low, high } }: (typeof cells)[number]) => low + high;
    expect(frontier.length).toBeGreaterThan(1);
    for (const cell of frontier) {
      const better = cells.slice(0, cells.indexOf(cell)).filter(({ status }) => status !== "none");
      expect(better.some((one) => one.contextSize >= cell.contextSize && speed(one) >= speed(cell))).toBe(false);
    }
  });
});

describe("recommendation", () => {
  it("is the best model that is fast and remembers enough, and says what else there is", () => {
    const { recommended, frontier, reason } = matrix("2x RTX 4090 24GB");
    expect(recommended).toMatchObject({ model: "llama-3.3-70b-instruct", tier: "INT4" });
    expect(frontier).toContain(recommended);
    expect(reason).toMatch(/^Llama 3.3 70B INT4 holds \d+K here; Llama 3.1 8B BF16 holds the full 128K/);
  });

  it("does not send anybody to main memory for a larger model", () => {
    const { recommended, reason } = matrix("1x RTX 4090 24GB");
    expect(recommended?.model).toBe("llama-3.1-8b-instruct");
    expect(reason).toContain("tokens per second only");
  });

  it("is the full model on a machine that holds everything", () => {
    expect(matrix("8x H200 141GB").recommended).toMatchObject({ model: "llama-3.1-405b-instruct", status: "full" });
  });

  it("finds something for a small machine, and says so when there is nothing", () => {
    expect(matrix("cpu + ram 16GB", 8192).recommended?.model).toMatch(/^llama-3\.[12]-[138]b-instruct$/);
    const nothing = matrix("cpu + ram 1GB");
    expect(nothing).toMatchObject({ recommended: null, frontier: [] });
    expect(nothing.reason).toMatch(
      /No model of the catalog fits here; Llama 3.2 1B INT4 comes nearest and lacks [\d.]+ GiB/,
    );
  });
});
