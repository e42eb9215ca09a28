import type { BenchReport, EmbeddingState, ModelActivity, ModelsActivity, ServingSettings } from "@corral/protocol";

export const sampleServing: ServingSettings = {
  keepAliveMs: 1_800_000,
  parallelReplies: null,
  stateBudgetBytes: null,
  queueLimit: 256,
  defaultModel: null,
  embeddingModel: null,
  rerankModel: null,
  embeddingPrefixes: null,
  draftModels: {},
  contextSizes: {},
  ownerLimits: { concurrent: null, queued: 128, tokensPerMinute: null, tokensPerDay: null, weight: 1 },
  otherLimits: { concurrent: 4, queued: 64, tokensPerMinute: null, tokensPerDay: null, weight: 1 },
  userLimits: {},
};

export const sampleEmbedding: EmbeddingState = {
  state: "embedding",
  model: "nomic-embed-text-v1.5",
  embedded: 12_345,
  chunks: 20_201,
  shortened: 3,
  failed: 1,
  chunksPerSecond: 212,
  error: null,
  answering: "nomic-embed-text-v1.5",
  index: { mode: "int8", dimensions: 768, candidates: null, recall: null },
};

const model: ModelActivity = {
  model: "llama-8b",
  name: "Llama 3.1 8B Instruct",
  purpose: "generate",
  state: "ready",
  slots: [
    { contextSize: 131_072, total: 1, busy: 1 },
    { contextSize: 8192, total: 3, busy: 2 },
  ],
  running: 3,
  queued: 2,
  waitMs: 7400,
  kvUsedTokens: 41_230,
  kvTotalTokens: 155_648,
  memory: [{ device: "gpu0", name: "NVIDIA RTX 4090", bytes: 21.4 * 2 ** 30 }],
  counters: {
    promptTokens: 812_345,
    cachedTokens: 640_120,
    completionTokens: 98_765,
    completed: 412,
    cancelled: 9,
    failed: 1,
    refusedQueueFull: 2,
    refusedRateLimited: 0,
    loads: 1,
    crashes: 0,
  },
  timeToFirstToken: { boundsMs: [100, 250, 500, 1000, 5000], counts: [120, 210, 60, 20, 2, 0], sumMs: 90_000 },
  queueWait: { boundsMs: [100, 1000], counts: [400, 12, 0], sumMs: 4000 },
  decodeTokensPerSecond: 38.2,
  prefillTokensPerSecond: 2140,
};

/** As a host that writes would tell it: a little more with each call. */
export function sampleActivity(second: number): ModelsActivity {
  const written = 120 * second + 40 * Math.sin(second / 4);
  const read = 900 * Math.floor(second / 7);
  const { counters } = model;
  return {
    since: "2025-01-01T08:00:00Z",
    models: [
      {
        ...model,
        counters: {
          ...counters,
          completionTokens: counters.completionTokens + Math.round(written),
          promptTokens: counters.promptTokens + read,
        },
      },
      { ...model, model: "reader", name: "Corral Reader", state: "unloaded", slots: [], running: 0, queued: 0 },
    ],
  };
}

export const sampleBench: BenchReport = {
  measuredAt: "2025-01-01T09:30:00Z",
  model: { id: "llama-8b", name: "Llama 3.1 8B Instruct", quantization: "Q4_K_M" },
  machine: { cpu: "AMD EPYC 7543 32-Core Processor", cores: 32, memoryBytes: 256 * 2 ** 30, gpus: ["NVIDIA RTX 4090"] },
  rows: [
    { id: "prefill", unit: "tok/s", corral: 5210, bare: 5230, ratio: 0.996 },
    { id: "decode", unit: "tok/s", corral: 101.2, bare: 102.9, ratio: 0.983 },
    { id: "ttft-cold", unit: "ms", corral: 812, bare: 805, ratio: 1.009 },
    { id: "ttft-warm", unit: "ms", corral: 31.4, bare: null, ratio: null },
    { id: "ttft-restored", unit: "ms", corral: 96, bare: null, ratio: null },
    ...[1, 4, 8, 16].map((streams, at) => ({
      id: "streams" as const,
      streams,
      unit: "tok/s" as const,
      corral: [100, 310, 540, 812][at]!,
      bare: [102, 318, 551, 820][at]!,
      ratio: 0.98,
    })),
  ],
};
