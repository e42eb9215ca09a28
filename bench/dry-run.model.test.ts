import { GgufInsights, GgmlType, getLlama, LlamaLogLevel, readGgufFileInfo } from "node-llama-cpp";
import { beforeAll, describe, expect, it } from "vitest";
import { readGgufHeader } from "../apps/engine-host/src/engines/gguf-header.ts";
import { plannedFile } from "../apps/engine-host/src/models/planner.ts";
import {
  batchTokensOf,
  cpuComputeBytes,
  kvBytesPerTokenAndLayer,
  kvTokens,
} from "../apps/engine-host/src/planning/memory-model.ts";
import { benchModel, type Quantization } from "./make-model.ts";

/**
 * The planner's closed form beside llama.cpp's own dry run (it lays out model and context without allocating them), for
 * whole files made by us. They differ by 512 bytes of 40 MB and more; a tenth of a percent is allowed.
 */
const tolerance = 0.001;

describe.each(["q8_0", "f16", "q4_k_m"] satisfies Quantization[])("100 M parameters in %s", (quantization) => {
  let path = "";
  beforeAll(() => {
    path = benchModel("100m", quantization);
  }, 120_000);

  const dryRun = async (contextSize: number, isQuantized: boolean) => {
    const llama = await getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
    });
    try {
      const insights = await GgufInsights.from(await readGgufFileInfo(path), llama);
      const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0, useMmap: false });
      const type = isQuantized ? { kvCacheKeyType: GgmlType.Q8_0, kvCacheValueType: GgmlType.Q8_0 } : {};
      const context = await insights.estimateContextResourceRequirementsV2({
        contextSize,
        modelGpuLayers: 0,
        batchSize: batchTokensOf("cpu"),
        sequences: 1,
        flashAttention: true,
        useMmap: false,
        ...type,
      });
      return { model: model.cpuRam, context: context.cpuRam };
    } finally {
      await llama.dispose();
    }
  };

  it.each([
    [2048, "f16"],
    [8192, "f16"],
    [8192, "q8_0"],
  ] as const)("agrees with the dry run at %i tokens with %s KV", async (contextSize, kvCacheType) => {
    const { shape, file } = plannedFile("bench", await readGgufHeader(path));
    const need = { slots: [{ contextSize, count: 1 }], kvCacheType };
    const kvCache = kvTokens(need) * kvBytesPerTokenAndLayer(shape, kvCacheType) * shape.layers;
    const dry = await dryRun(contextSize, kvCacheType === "q8_0");
    const difference = (planned: number, told: number) => Math.abs(planned / told - 1);
    expect(difference(file?.weightsBytes ?? 0, dry.model)).toBeLessThan(tolerance);
    expect(difference(kvCache + cpuComputeBytes(shape, need), dry.context)).toBeLessThan(tolerance);
  });
});
