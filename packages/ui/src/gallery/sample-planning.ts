import type { FitCell, FitMatrix, HardwareSample, PrecisionTier } from "@corral/protocol";

const gib = 2 ** 30;
const wishedContextSize = 131_072;

function cell(
  name: string,
  tier: PrecisionTier,
  status: FitCell["status"],
  contextSize: number,
  weights: number,
  needed: number,
): FitCell {
  return {
    model: name.toLowerCase().replaceAll(" ", "-"),
    name,
    tier,
    quantization: { BF16: "BF16", FP8: "Q8_0", INT4: "Q4_K_M" }[tier],
    kvCacheType: tier === "BF16" ? "f16" : "q8_0",
    status,
    contextSize,
    wishedContextSize,
    weightsBytes: weights * gib,
    neededBytes: needed * gib,
    missingBytes: status === "none" ? (needed - 42) * gib : 0,
    decodeTokensPerSecond: { low: 400 / needed, high: 900 / needed },
  };
}

const recommended = cell("Llama 3.1 8B Instruct", "BF16", "full", wishedContextSize, 14.96, 36.6);

/** What fits on the sample machine: every kind of cell. */
export const sampleMatrix: FitMatrix = {
  cells: [
    cell("Llama 3.1 405B Instruct", "BF16", "none", wishedContextSize, 755.9, 848.2),
    cell("Llama 3.1 405B Instruct", "FP8", "none", wishedContextSize, 401.6, 472.5),
    cell("Llama 3.1 405B Instruct", "INT4", "none", wishedContextSize, 226.1, 290.3),
    cell("Llama 3.3 70B Instruct", "BF16", "partial", 32_768, 131.4, 148.3),
    cell("Llama 3.3 70B Instruct", "FP8", "partial", 32_768, 69.8, 84.1),
    cell("Llama 3.3 70B Instruct", "INT4", "shorter", 11_520, 39.6, 43.8),
    recommended,
    cell("Llama 3.1 8B Instruct", "FP8", "full", wishedContextSize, 7.95, 20.1),
    cell("Llama 3.1 8B Instruct", "INT4", "full", wishedContextSize, 4.58, 16.7),
  ],
  frontier: [recommended],
  recommended,
  reason: "Llama 3.1 8B BF16 holds the full 128K here; Llama 3.3 70B INT4 would hold 11K only.",
};

/** The sample machine a second later. */
export const sampleHardwareSample: HardwareSample = {
  takenAt: "2025-01-01T00:00:01Z",
  cpu: { utilizationPercent: 12 },
  memory: { totalBytes: 256 * gib, availableBytes: 179 * gib },
  gpus: [0, 1].map((index) => ({
    id: `gpu${index}`,
    usedBytes: (0.9 + 4 * index) * gib,
    freeBytes: (23.1 - 4 * index) * gib,
    utilizationPercent: 37 * index,
    temperatureCelsius: 43 + 20 * index,
    powerWatts: 31 + 200 * index,
  })),
};
