import { setTimeout as sleep } from "node:timers/promises";
import { CorralError } from "@corral/protocol";
import type { LlamaEmbeddingContext, LlamaModel, LlamaRankingContext, Token } from "node-llama-cpp";
import type { LoadSettings } from "../engines/engine.ts";

/** llama.cpp's log, which tells how much memory it took, arrives on the event loop, ms after what it tells of. */
const logDelayMs = 20;

/** A model loaded to embed or to rank: one text after the other, each evaluated in one step. */
export interface VectorModel {
  /** Length of its vectors; null for one that ranks. */
  readonly dimensions: number | null;
  /** Longest text, with what the model adds at its ends (and with the query, when ranking), tokens. */
  readonly maxTokens: number;
  /** @throws CorralError CONTEXT_OVERFLOW, CANCELLED */
  embed(texts: readonly string[], signal: AbortSignal, onEvaluated: () => void): Promise<Float32Array[]>;
  /** @throws CorralError CONTEXT_OVERFLOW, CANCELLED */
  rank(query: string, texts: readonly string[], signal: AbortSignal, onEvaluated: () => void): Promise<number[]>;
}

/** Opens the context that embeds or ranks. What a text says is never read as control tokens. */
export async function openVectors(
  model: LlamaModel,
  purpose: "embed" | "rank",
  { slots, threads }: LoadSettings,
): Promise<VectorModel> {
  const contextSize = Math.min(Math.max(...slots.map((slot) => slot.contextSize)), model.trainContextSize);
  // An encoder sees the whole text at once: it must fit one batch.
  const options = { contextSize, batchSize: contextSize, threads };
  const vectors =
    purpose === "rank"
      ? new Ranker(model, await model.createRankingContext(options), contextSize)
      : new Embedder(model, await model.createEmbeddingContext(options), contextSize);
  await sleep(logDelayMs);
  return vectors;
}

class Embedder implements VectorModel {
  readonly dimensions: number;
  readonly maxTokens: number;
  readonly #model: LlamaModel;
  readonly #context: LlamaEmbeddingContext;

  constructor(model: LlamaModel, context: LlamaEmbeddingContext, contextSize: number) {
    this.#model = model;
    this.#context = context;
    this.dimensions = model.embeddingVectorSize;
    // node-llama-cpp keeps the last place of a context free.
    this.maxTokens = contextSize - 1;
  }

  async embed(texts: readonly string[], signal: AbortSignal, onEvaluated: () => void): Promise<Float32Array[]> {
    const inputs = texts.map((text, index) => {
      const tokens = this.#tokensOf(text);
      refuseTooLong(this.#context.calculateInputLength([...tokens]), this.maxTokens, index, texts.length);
      return tokens;
    });
    const vectors: Float32Array[] = [];
    for (const tokens of inputs) {
      throwIfCancelled(signal);
      const { vector } = await this.#context.getEmbeddingFor(tokens);
      vectors.push(unitVector(vector));
      onEvaluated();
    }
    return vectors;
  }

  rank(): Promise<number[]> {
    return Promise.reject(notLoadedFor("ranking", "embedding"));
  }

  /** Without a single token there is nothing to evaluate: then the token that begins or ends a text stands for it. */
  #tokensOf(text: string): Token[] {
    const tokens = this.#model.tokenize(text);
    const edge = this.#model.tokens.bos ?? this.#model.tokens.eos;
    return tokens.length === 0 && edge !== null ? [edge] : tokens;
  }
}

class Ranker implements VectorModel {
  readonly dimensions = null;
  readonly maxTokens: number;
  readonly #model: LlamaModel;
  readonly #context: LlamaRankingContext;

  constructor(model: LlamaModel, context: LlamaRankingContext, contextSize: number) {
    this.#model = model;
    this.#context = context;
    this.maxTokens = contextSize - 1;
  }

  embed(): Promise<Float32Array[]> {
    return Promise.reject(notLoadedFor("embedding", "ranking"));
  }

  async rank(query: string, texts: readonly string[], signal: AbortSignal, onEvaluated: () => void): Promise<number[]> {
    const asked = this.#model.tokenize(query);
    const inputs = texts.map((text, index) => {
      const tokens = this.#model.tokenize(text);
      refuseTooLong(this.#context.calculateInputLength(asked, tokens), this.maxTokens, index, texts.length);
      return tokens;
    });
    const scores: number[] = [];
    for (const tokens of inputs) {
      throwIfCancelled(signal);
      scores.push(await this.#context.rank(asked, tokens));
      onEvaluated();
    }
    return scores;
  }
}

function refuseTooLong(promptTokens: number, contextTokens: number, index: number, count: number): void {
  if (promptTokens <= contextTokens) return;
  const message = `Text ${index + 1} of ${count} (index ${index}) has ${promptTokens} tokens, and this model reads ${contextTokens} at the most. Split it, or use a model with a longer context.`;
  throw new CorralError("CONTEXT_OVERFLOW", message, { promptTokens, replyTokens: 0, contextTokens });
}

function unitVector(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => value / (length || 1));
}

function notLoadedFor(wanted: string, purpose: string): CorralError {
  const reason = `The model was loaded for ${purpose}, not for ${wanted}`;
  return new CorralError("INVALID_INPUT", `${reason}. Choose a model for ${wanted}.`, { field: "model", reason });
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
}
