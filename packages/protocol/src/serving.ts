import { z } from "zod";
import { modelState } from "./models.ts";

/** What one person or program may take of a model. */
export const userLimits = z.object({
  /** Replies written for them at the same time; null: as many as there are slots. */
  concurrent: z.number().int().min(1).max(1024).nullable(),
  /** Requests of theirs that may wait in one model's queue. */
  queued: z.number().int().min(1).max(10_000),
  /** Tokens read and written in any minute and any 24 hours (those found in a cache are free); null: no limit. */
  tokensPerMinute: z.number().int().min(1).nullable(),
  tokensPerDay: z.number().int().min(1).nullable(),
  /** Their share beside others': 2 gets twice what 1 gets. */
  weight: z.number().min(0.01).max(100),
});
export type UserLimits = z.infer<typeof userLimits>;

/** Text put before what is embedded, as the model was trained. */
export const embeddingPrefixes = z.object({ query: z.string().max(1000), document: z.string().max(1000) });
export type EmbeddingPrefixes = z.infer<typeof embeddingPrefixes>;

/** How models are served on this host. */
export const servingSettings = z.object({
  /** A model nobody used for so long is unloaded, ms; null: never. The embedded reader stays. */
  keepAliveMs: z.number().int().min(0).max(31_536_000_000).nullable(),
  /** Replies one model writes side by side; null: up to four, as far as they cost neither context nor precision. */
  parallelReplies: z.number().int().min(1).max(64).nullable(),
  /** Disk space for the KV caches of conversations that lost their slot, bytes; null: 10 % of the free space, 10 GB at most. */
  stateBudgetBytes: z.number().int().min(0).nullable(),
  /** Requests that may wait for one model, of all users together. */
  queueLimit: z.number().int().min(1).max(100_000),
  /** Answers questions that name no model; null: the first one added that can converse. */
  defaultModel: z.string().max(64).nullable(),
  /** Null: the first one added. */
  embeddingModel: z.string().max(64).nullable(),
  rerankModel: z.string().max(64).nullable(),
  /** Null: what the embedding model is known to need. */
  embeddingPrefixes: embeddingPrefixes.nullable(),
  /** By model: the small model of the same vocabulary that proposes tokens for it. */
  draftModels: z.record(z.string().max(64), z.string().max(64)),
  /** By model: the context of its largest slot, tokens; of a model that is not named: what its plan finds best here. */
  contextSizes: z.record(z.string().max(64), z.number().int().min(512).max(16_777_216)),
  /** The user of this machine ("owner"), everybody else, and people or keys with limits of their own. */
  ownerLimits: userLimits,
  otherLimits: userLimits,
  userLimits: z.record(z.string().max(200), userLimits),
});
export type ServingSettings = z.infer<typeof servingSettings>;
/** What is not given stays as it is. */
export const servingChanges = servingSettings.partial();
export type ServingChanges = z.infer<typeof servingChanges>;

/** How many observations fell into which range. Times in ms. */
export const latencyHistogram = z.object({
  /** Upper bounds of the ranges, ascending; what is above the last has one more count. */
  boundsMs: z.array(z.number()),
  /** One per bound and one more; not cumulative. */
  counts: z.array(z.number().int()),
  sumMs: z.number(),
});
export type LatencyHistogram = z.infer<typeof latencyHistogram>;

/** What one model does now, and what it did since the host started (counters outlast unloading). */
export const modelActivity = z.object({
  model: z.string(),
  name: z.string(),
  purpose: z.enum(["generate", "embed", "rank"]),
  state: modelState,
  /** Of a loaded model, by context size, largest first; contexts in tokens. Empty when not loaded. */
  slots: z.array(z.object({ contextSize: z.number().int(), total: z.number().int(), busy: z.number().int() })),
  running: z.number().int(),
  queued: z.number().int(),
  /** What a request that came now would wait, ms; null where nothing was measured yet. */
  waitMs: z.number().nullable(),
  /** KV cache, tokens: in slots that are busy, and of all slots. */
  kvUsedTokens: z.number().int(),
  kvTotalTokens: z.number().int(),
  /** Taken of each device, bytes, as measured (where nobody told: as planned). Empty when not loaded. */
  memory: z.array(z.object({ device: z.string(), name: z.string(), bytes: z.number() })),
  counters: z.object({
    /** Tokens: read, of those found in the KV cache, written. */
    promptTokens: z.number().int(),
    cachedTokens: z.number().int(),
    completionTokens: z.number().int(),
    completed: z.number().int(),
    cancelled: z.number().int(),
    failed: z.number().int(),
    refusedQueueFull: z.number().int(),
    refusedRateLimited: z.number().int(),
    loads: z.number().int(),
    crashes: z.number().int(),
  }),
  /** From the request to its first token, queue included; and the part of it spent in the queue. */
  timeToFirstToken: latencyHistogram,
  queueWait: latencyHistogram,
  /** Tokens per second while decoding, of the latest replies; null: none was measured. */
  decodeTokensPerSecond: z.number().nullable(),
  prefillTokensPerSecond: z.number().nullable(),
});
export type ModelActivity = z.infer<typeof modelActivity>;

/** The registered models at work. */
export const modelsActivity = z.object({
  /** When the counters started, ISO time. */
  since: z.string(),
  models: z.array(modelActivity),
});
export type ModelsActivity = z.infer<typeof modelsActivity>;
