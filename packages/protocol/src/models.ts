import { z } from "zod";
import { errorReport } from "./errors.ts";
import { gpuDevice } from "./hardware.ts";

export const precisionTier = z.enum(["BF16", "FP8", "INT4"]);
export type PrecisionTier = z.infer<typeof precisionTier>;

/** The numbers of a decoder-only transformer that memory and speed follow from. Counts, not bytes. */
export const modelShape = z.object({
  architecture: z.string(),
  parameters: z.number(),
  layers: z.number().int().positive(),
  embeddingLength: z.number().int().positive(),
  feedForwardLength: z.number().int().positive(),
  heads: z.number().int().positive(),
  keyValueHeads: z.number().int().positive(),
  keyLength: z.number().int().positive(),
  valueLength: z.number().int().positive(),
  vocabularySize: z.number().int().positive(),
  /** Longest context the model was trained for, tokens. */
  trainContextSize: z.number().int().positive(),
});
export type ModelShape = z.infer<typeof modelShape>;

/**
 * What a plan puts on one device. All bytes. The need of a device is the sum of its first five parts; it fits when that is
 * at most `freeBytes`.
 */
export const deviceMemory = z.object({
  id: z.string(),
  name: z.string(),
  weightsBytes: z.number(),
  kvCacheBytes: z.number(),
  /** Activations, attention mask and logits while a batch is evaluated; repeated on every device of a split. */
  computeBytes: z.number(),
  /** The runtime itself: CUDA context, libraries, the worker process. */
  overheadBytes: z.number(),
  /** Left free on purpose. */
  reserveBytes: z.number(),
  /** All the memory the device has. */
  totalBytes: z.number(),
  /** Free before the load. */
  freeBytes: z.number(),
  /** Taken before the load: `totalBytes` less `freeBytes`. */
  usedByOthersBytes: z.number(),
});
export type DeviceMemory = z.infer<typeof deviceMemory>;

export const kvCacheType = z.enum(["f16", "q8_0"]);
export type KvCacheType = z.infer<typeof kvCacheType>;

/** What matters most where not everything fits. */
export const planPreference = z.enum(["balanced", "quality", "speed", "longest-context"]);
export type PlanPreference = z.infer<typeof planPreference>;

export const placementKind = z.enum(["gpu", "multi-gpu", "partial", "cpu", "none"]);
export type PlacementKind = z.infer<typeof placementKind>;

const range = z.object({ low: z.number(), high: z.number() });

/** What a plan would do, computed from data sheets until it was measured here. */
export const speedEstimate = z.object({
  /** Low: the context is full and the hardware is used badly. High: the context is empty and it is used well. */
  decodeTokensPerSecond: range,
  prefillTokensPerSecond: range,
  loadSeconds: z.number(),
  /** True once replies were written under such a plan on these devices: low and high are then the figure measured last. */
  measured: z.boolean().optional(),
});
export type SpeedEstimate = z.infer<typeof speedEstimate>;

/** Sequences of one context size. Contexts in tokens. */
export const planSlots = z.object({ contextSize: z.number().int(), count: z.number().int() });
export type PlanSlots = z.infer<typeof planSlots>;

/** Another choice, kept whole on the same kind of device, and whether it would fit. */
export const planAlternative = z.object({
  tier: precisionTier,
  quantization: z.string(),
  kvCacheType,
  contextSize: z.number().int(),
  fits: z.boolean(),
  missingBytes: z.number(),
});
export type PlanAlternative = z.infer<typeof planAlternative>;

/** How a model will be loaded here, and why. Sizes in bytes, contexts in tokens. */
export const loadPlan = z.object({
  model: z.string(),
  tier: precisionTier,
  quantization: z.string(),
  kvCacheType,
  /** Context of the largest slot. */
  contextSize: z.number().int(),
  /** Largest first. */
  slots: z.array(planSlots),
  /** Id of the small model that guesses tokens ahead; its memory is counted with the model's. Absent: none. */
  draft: z.string().optional(),
  placement: placementKind,
  /** Layers on GPUs; the output counts as one more than the model's own. */
  gpuLayers: z.number().int(),
  threads: z.number().int(),
  fits: z.boolean(),
  /** Bytes short over all devices; 0 when it fits. */
  missingBytes: z.number(),
  /** In the order llama.cpp deals its layers to them; main memory ("cpu") last. */
  devices: z.array(deviceMemory),
  estimate: speedEstimate,
  /** Full sentences, most important first. */
  reasons: z.array(z.string()),
  alternatives: z.array(planAlternative),
});
export type LoadPlan = z.infer<typeof loadPlan>;

const size = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

/** What of a machine a plan depends on: part of a `HardwareSnapshot`. */
export const planHardware = z.object({
  cpu: z.object({ name: z.string(), physicalCores: z.number().min(0), logicalCores: z.number().min(0) }),
  memory: z.object({ totalBytes: size, availableBytes: size }),
  gpus: z
    .array(
      gpuDevice
        .pick({ id: true, index: true, name: true, vendor: true, usable: true, unifiedMemory: true })
        .extend({ totalBytes: size.nullable(), freeBytes: size.nullable() }),
    )
    .max(256),
});
export type PlanHardware = z.infer<typeof planHardware>;

/** The file `catalog/models.json`: the models Corral knows by name, best first. */
export const modelCatalog = z.object({
  source: z.string(),
  models: z.array(z.object({ id: z.string(), name: z.string(), isTied: z.boolean(), shape: modelShape })),
});

/** Parts of a plan the user has decided; the planner leaves them as they are. */
export const planPins = z.object({
  tier: precisionTier.optional(),
  quantization: z.string().min(1).max(32).optional(),
  kvCacheType: kvCacheType.optional(),
  contextSize: z.number().int().min(1).max(16_777_216).optional(),
  placement: placementKind.exclude(["none"]).optional(),
});
export type PlanPins = z.infer<typeof planPins>;

/** What a plan is asked for, besides the model. */
export const planWish = z.object({
  /** Tokens of the largest slot; null or absent: what suits model and machine. */
  contextSize: z.number().int().min(1).max(16_777_216).nullish(),
  /** How many people work with it at a time. */
  users: z.number().int().min(1).max(256).optional(),
  preference: planPreference.optional(),
  pins: planPins.optional(),
  /** To leave free on each device, bytes; absent: 1 GiB. */
  reserveBytes: z.number().int().min(0).optional(),
});

/** The machine to plan for; neither: this machine as it is now. */
const planMachine = z.object({
  hardware: planHardware.optional(),
  /** In words, before `hardware`: "2x RTX 4090 24GB + 1x A100 80GB + ram 512GB". */
  gpus: z.string().max(500).optional(),
});

/** Asks how a model would be loaded: one of this machine's models, one of the catalog, or a GGUF file on the host's disk. */
export const planRequest = planWish.extend(planMachine.shape).extend({
  /** Id of a model, or the path of a `.gguf` file. */
  model: z.string().min(1).max(4096),
});
export type PlanRequest = z.infer<typeof planRequest>;

/** Asks what fits on a machine at all. */
export const fitMatrixRequest = planWish.omit({ pins: true }).extend(planMachine.shape);
export type FitMatrixRequest = z.infer<typeof fitMatrixRequest>;

/** One model in one tier on a machine. Bytes, contexts in tokens. */
export const fitCell = z.object({
  model: z.string(),
  name: z.string(),
  tier: precisionTier,
  quantization: z.string(),
  kvCacheType,
  /** full: whole on GPUs (without any: in memory) at the wished context. shorter: the same with less. partial: some layers in RAM. */
  status: z.enum(["full", "shorter", "partial", "none"]),
  contextSize: z.number().int(),
  wishedContextSize: z.number().int(),
  weightsBytes: z.number(),
  /** Everything the plan takes, reserve included. */
  neededBytes: z.number(),
  missingBytes: z.number(),
  decodeTokensPerSecond: range,
});
export type FitCell = z.infer<typeof fitCell>;

/** What fits on a machine, and what to take. */
export const fitMatrix = z.object({
  /** Best model first; within a model BF16, FP8, INT4. */
  cells: z.array(fitCell),
  /** The cells no other beats in quality, context and speed at once. */
  frontier: z.array(fitCell),
  recommended: fitCell.nullable(),
  /** One sentence. */
  reason: z.string(),
});
export type FitMatrix = z.infer<typeof fitMatrix>;

/**
 * What a loaded model really takes on one device. All bytes. `DeviceMemory` of the plan with the same id is what was
 * predicted; null where nobody told.
 */
export const measuredMemory = z.object({
  id: z.string(),
  name: z.string(),
  /** What the engine reports having allocated. */
  weightsBytes: z.number(),
  kvCacheBytes: z.number(),
  computeBytes: z.number(),
  /** What the runtime took besides. */
  overheadBytes: z.number().nullable(),
  /** Used by the engine's process (main memory: resident), or on the whole device (GPU): before the load, after it, at most. */
  beforeBytes: z.number().nullable(),
  afterBytes: z.number().nullable(),
  peakBytes: z.number().nullable(),
});
export type MeasuredMemory = z.infer<typeof measuredMemory>;

/**
 * What a model can be asked.
 * "chat": anything. "quote": only to quote the sentence of a document that answers (the embedded reader model).
 * "embed": vectors of texts. "rank": how well a text answers a query.
 */
export const modelAbility = z.enum(["chat", "quote", "embed", "rank"]);

/** pending: waits for its turn to load. ready: loaded, serving. idle: loaded, unused. absent: its file is gone. */
export const modelState = z.enum([
  "unloaded",
  "pending",
  "loading",
  "ready",
  "idle",
  "unloading",
  "quarantined",
  "absent",
]);
export type ModelState = z.infer<typeof modelState>;

/** A model on this machine. */
export const modelSummary = z.object({
  id: z.string(),
  name: z.string(),
  file: z.string(),
  fileBytes: z.number(),
  ability: modelAbility,
  /** True for the model that ships with Corral. */
  embedded: z.boolean(),
  shape: modelShape.nullable(),
  tier: precisionTier,
  quantization: z.string(),
  state: modelState,
  /** 0..1 while loading. */
  loadProgress: z.number().nullable(),
  /** Context of the loaded plan, tokens; null when not loaded. */
  contextSize: z.number().nullable(),
  lastError: errorReport.nullable(),
  /** Of a loaded model: what was planned (with the reasons, as it was loaded) and what was measured. Null when not loaded. */
  memory: z.object({ plan: loadPlan, measured: z.array(measuredMemory) }).nullish(),
});
export type ModelSummary = z.infer<typeof modelSummary>;
