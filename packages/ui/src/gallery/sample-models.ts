import type { HardwareSnapshot, LoadPlan, ModelShape, ModelSummary } from "@corral/protocol";

const shape: ModelShape = {
  architecture: "llama",
  parameters: 8_030_261_248,
  layers: 32,
  embeddingLength: 4096,
  feedForwardLength: 14336,
  heads: 32,
  keyValueHeads: 8,
  keyLength: 128,
  valueLength: 128,
  vocabularySize: 128_256,
  trainContextSize: 131_072,
};
const model: ModelSummary = {
  id: "llama-8b",
  name: "Llama 3.1 8B Instruct",
  file: "/models/Llama-3.1-8B-Instruct-Q4_K_M.gguf",
  fileBytes: 4_920_739_232,
  ability: "chat",
  embedded: false,
  shape,
  tier: "INT4",
  quantization: "Q4_K_M",
  state: "ready",
  loadProgress: null,
  contextSize: 131_072,
  lastError: null,
};

export const sampleModels: ModelSummary[] = [
  {
    ...model,
    id: "reader",
    name: "Corral Reader",
    embedded: true,
    ability: "quote",
    fileBytes: 30_123_456,
    tier: "FP8",
    quantization: "Q8_0",
    shape: { ...shape, parameters: 28_000_000, trainContextSize: 2048 },
    contextSize: 2048,
  },
  model,
  { ...model, id: "70b", name: "Llama 3.3 70B Instruct", state: "loading", loadProgress: 0.35, contextSize: null },
  {
    ...model,
    id: "gone",
    name: "Llama 3.2 1B Instruct",
    state: "absent",
    contextSize: null,
    lastError: {
      code: "FILE_NOT_FOUND",
      message: "The file of Llama 3.2 1B Instruct is gone; put it back or remove the model from the list.",
    },
  },
  {
    ...model,
    id: "idle",
    name: "Llama 3.1 8B Instruct BF16",
    tier: "BF16",
    quantization: "BF16",
    state: "unloaded",
    contextSize: null,
  },
];

const gib = 2 ** 30;
/** What the screens show; a device can tell more. */
export const samplePlan = {
  model: "llama-8b",
  tier: "INT4",
  quantization: "Q4_K_M",
  kvCacheType: "f16",
  contextSize: 131_072,
  slots: [
    { contextSize: 131_072, count: 1 },
    { contextSize: 8192, count: 3 },
  ],
  placement: "multi-gpu",
  gpuLayers: 33,
  threads: 8,
  fits: true,
  missingBytes: 0,
  devices: [0, 1].map((at) => ({
    id: `gpu${at}`,
    name: `NVIDIA RTX 4090 (${at})`,
    weightsBytes: 2.3 * gib,
    kvCacheBytes: (9.5 + 7 * at) * gib,
    computeBytes: 1.2 * gib,
    overheadBytes: 0.4 * gib,
    reserveBytes: gib,
    totalBytes: (14.4 + 7 * at) * gib,
    freeBytes: (23.1 - 4 * at) * gib,
  })),
  reasons: [
    "All 33 layers fit on two graphics cards with the full context of 131,072 tokens.",
    "The KV cache stays at 16 bits, because there is room for it.",
    "The weights are INT4 · Q4_K_M.",
  ],
} as LoadPlan;

export const sampleHardware = {
  takenAt: "2025-01-01T00:00:00Z",
  os: { platform: "linux", distribution: "Debian GNU/Linux 12", architecture: "x64" },
  cpu: { name: "AMD EPYC 7543 32-Core Processor", physicalCores: 32, logicalCores: 64 },
  memory: { totalBytes: 256 * gib, availableBytes: 180 * gib },
  gpus: [0, 1].map((index) => ({
    id: `gpu${index}`,
    index,
    name: `NVIDIA RTX 4090 (${index})`,
    vendor: "NVIDIA",
    totalBytes: 24 * gib,
    freeBytes: (23.1 - 4 * index) * gib,
    driver: "560.35",
    source: "nvidia-smi",
  })),
  disk: { path: "/", freeBytes: 812 * gib },
  notes: ["The temperature of the graphics cards could not be read."],
} as HardwareSnapshot;
