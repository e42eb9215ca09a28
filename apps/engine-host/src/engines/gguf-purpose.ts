import type { GgufContents } from "./gguf-parser.ts";

/** What a model can be loaded for besides what its file says: a generating model can embed too. */
export type ModelPurpose = "generate" | "embed" | "rank";

/** Architectures of llama.cpp (`llm_arch` in llama-arch.cpp) that only read a text and never write one. */
const encoders = new Set([
  "bert",
  "nomic-bert",
  "nomic-bert-moe",
  "jina-bert-v2",
  "jina-bert-v3",
  "neo-bert",
  "modern-bert",
  "eurobert",
  "gemma-embedding",
  "t5encoder",
]);

/** `llama_pooling_type` in llama.h: 0 none, 1 mean, 2 first token, 3 last token, 4 rank. */
const pooling = { mean: 1, last: 3, rank: 4 } as const;

/**
 * What a GGUF file is made for. A reranker says so by its pooling type, or has a classifier head and no other pooling; an
 * embedding model has an encoder's architecture, or says how its vectors are pooled (as those made from Qwen or Llama do).
 */
export function purposeOf({ metadata, tensors }: GgufContents): ModelPurpose {
  const architecture = metadata.get("general.architecture");
  const declared = typeof architecture === "string" ? metadata.get(`${architecture}.pooling_type`) : undefined;
  const isPooled = typeof declared === "number" && declared >= pooling.mean && declared <= pooling.last;
  if (declared === pooling.rank) return "rank";
  if (isPooled) return "embed";
  if (tensors.some(({ name }) => name === "cls.weight" || name === "cls.output.weight")) return "rank";
  return typeof architecture === "string" && encoders.has(architecture) ? "embed" : "generate";
}
