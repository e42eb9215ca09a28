import { z } from "zod";
import { errorReport } from "./errors.ts";

/** A way of ranking passages: by words (BM25), by meaning (vectors of an embedding model), by a reranking model. */
export const searchLeg = z.enum(["lexical", "dense", "rerank"]);
export type SearchLeg = z.infer<typeof searchLeg>;

/** Where a leg put a passage: its place from 1, and its score, which only compares within that leg and search. */
export const legRank = z.object({ rank: z.number().int(), score: z.number() });
export type LegRank = z.infer<typeof legRank>;

/** What each leg said of a passage; null: the leg did not run or did not have it among its best. */
export const hitLegs = z.object({
  lexical: legRank.nullable(),
  dense: legRank.nullable(),
  rerank: legRank.nullable(),
});
export type HitLegs = z.infer<typeof hitLegs>;

/** Why a leg did not run, or not over everything. */
export const searchNote = z.discriminatedUnion("type", [
  /** No embedding model is installed: passages are found by words alone. */
  z.object({ type: z.literal("no-embedding-model") }),
  /** The embedding model was not ready in time (still loading, or busy): by words alone. */
  z.object({ type: z.literal("embedding-out-of-time") }),
  z.object({ type: z.literal("embedding-failed"), error: errorReport }),
  /** So many of the passages have a vector; the others are found by words alone. */
  z.object({ type: z.literal("partly-embedded"), embedded: z.number().int(), chunks: z.number().int() }),
  /** Passages are being embedded anew with another model; until that is done the earlier one answers. */
  z.object({ type: z.literal("earlier-embedding-model"), model: z.string() }),
  /** Of the `wanted` best passages the reranking model read `ranked` before its time was up (0: it was still loading, or busy). */
  z.object({ type: z.literal("rerank-out-of-time"), ranked: z.number().int(), wanted: z.number().int() }),
  z.object({ type: z.literal("rerank-failed"), error: errorReport }),
]);
export type SearchNote = z.infer<typeof searchNote>;

/**
 * off: no embedding model is installed. waiting: something is in the way, see `error`; it goes on by itself. paused: until it
 * is told to go on. ready: every passage has its vector.
 */
export const embeddingState = z.object({
  state: z.enum(["off", "embedding", "waiting", "paused", "ready"]),
  /** The model that embeds; null: off. */
  model: z.string().nullable(),
  /** Passages that have a vector of it, and all there are. */
  embedded: z.number().int(),
  chunks: z.number().int(),
  /** Passages that were too long for the model, so that only their beginning was embedded. */
  shortened: z.number().int(),
  /** Passages that the model could not embed at all; they are tried again at the next start. */
  failed: z.number().int(),
  /** Passages per second of late; null while it is not embedding. */
  chunksPerSecond: z.number().nullable(),
  error: errorReport.nullable(),
  /** The model whose vectors answer now: another one while everything is embedded anew; null: none. */
  answering: z.string().nullable(),
  /** How its vectors are searched; the recall (0..1) of bits is measured once everything is indexed. Null: none yet. */
  index: z
    .object({
      mode: z.enum(["int8", "bits"]),
      dimensions: z.number().int(),
      candidates: z.number().int().nullable(),
      recall: z.number().nullable(),
    })
    .nullable(),
});
export type EmbeddingState = z.infer<typeof embeddingState>;
