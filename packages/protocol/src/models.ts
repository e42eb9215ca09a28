import { z } from "zod";
import { errorReport } from "./errors.ts";

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

/** Memory of one device, by part. All bytes. */
export const deviceMemory = z.object({
  id: z.string(),
  name: z.string(),
  weightsBytes: z.number(),
  kvCacheBytes: z.number(),
  computeBytes: z.number(),
  overheadBytes: z.number(),
  reserveBytes: z.number(),
  totalBytes: z.number(),
  freeBytes: z.number(),
});
export type DeviceMemory = z.infer<typeof deviceMemory>;

export const kvCacheType = z.enum(["f16", "q8_0"]);
export type KvCacheType = z.infer<typeof kvCacheType>;

/** How a model will be loaded here, and why. Sizes in bytes, contexts in tokens. */
export const loadPlan = z.object({
  model: z.string(),
  tier: precisionTier,
  quantization: z.string(),
  kvCacheType,
  /** Context of one slot. */
  contextSize: z.number().int(),
  slots: z.array(z.object({ contextSize: z.number().int(), count: z.number().int() })),
  placement: z.enum(["gpu", "multi-gpu", "partial", "cpu", "none"]),
  gpuLayers: z.number().int(),
  threads: z.number().int(),
  fits: z.boolean(),
  missingBytes: z.number(),
  devices: z.array(deviceMemory),
  /** Full sentences, most important first. */
  reasons: z.array(z.string()),
});
export type LoadPlan = z.infer<typeof loadPlan>;

/**
 * What a model can be asked.
 * "chat": anything. "quote": only to quote the sentence of a document that answers (the embedded reader model).
 */
export const modelAbility = z.enum(["chat", "quote"]);

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
});
export type ModelSummary = z.infer<typeof modelSummary>;
