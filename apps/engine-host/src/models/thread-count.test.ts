import { describe, expect, it } from "vitest";
import { threadsFor } from "./thread-count.ts";

describe("threads for a model on the CPU", () => {
  it.each([
    { physicalCores: 16, logicalCores: 32, loadAverage: 0.3, threads: 16 },
    { physicalCores: 16, logicalCores: 32, loadAverage: 3.6, threads: 12 },
    { physicalCores: 2, logicalCores: 2, loadAverage: 11, threads: 1 },
    { physicalCores: 1, logicalCores: 2, loadAverage: 0, threads: 2 },
    { physicalCores: 1, logicalCores: 1, loadAverage: 0, threads: 1 },
    { physicalCores: 0, logicalCores: 0, loadAverage: Number.NaN, threads: 1 },
  ])("$physicalCores cores at load $loadAverage: $threads", ({ threads, ...use }) => {
    expect(threadsFor(use)).toBe(threads);
  });
});
