import { z } from "zod";

/** What is measured. prefill, decode and streams in tokens per second, ttft (time to first token) in ms. */
export const benchRowId = z.enum(["prefill", "decode", "ttft-cold", "ttft-warm", "ttft-restored", "streams"]);
export type BenchRowId = z.infer<typeof benchRowId>;

export const benchRow = z.object({
  id: benchRowId,
  /** Of "streams": replies written at the same time; the figure is that of all together, prompts included. */
  streams: z.number().int().optional(),
  unit: z.enum(["tok/s", "ms"]),
  corral: z.number(),
  /** node-llama-cpp and nothing else, in the same run; null where it has no counterpart. */
  bare: z.number().nullable(),
  /** How Corral does beside it; 1 = as fast, more = faster. */
  ratio: z.number().nullable(),
});
export type BenchRow = z.infer<typeof benchRow>;

/** What one model did on this machine. */
export const benchReport = z.object({
  /** ISO time. */
  measuredAt: z.string(),
  model: z.object({ id: z.string(), name: z.string(), quantization: z.string() }),
  machine: z.object({ cpu: z.string(), cores: z.number(), memoryBytes: z.number(), gpus: z.array(z.string()) }),
  rows: z.array(benchRow),
});
export type BenchReport = z.infer<typeof benchReport>;

export const benchEvent = z.discriminatedUnion("type", [
  /** What is measured next, and how many of all steps are done. */
  z.object({
    type: z.literal("progress"),
    done: z.number(),
    total: z.number(),
    step: z.enum(["load", ...benchRowId.options]),
  }),
  z.object({ type: z.literal("report"), report: benchReport }),
]);
export type BenchEvent = z.infer<typeof benchEvent>;
