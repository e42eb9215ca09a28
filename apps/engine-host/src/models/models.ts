import type { LoadPlan, ModelsActivity, ModelSummary, ServingChanges, ServingSettings } from "@corral/protocol";
import type { EnginePart, GenerateRequest, GenerationStatistics, LoadedModel } from "../engines/engine.ts";

/** Who a request is for: what the scheduler shares fairly between. */
export interface RequestClient {
  /** One person or program, for example "owner" or the id of an API key. */
  user: string;
  /** interactive: somebody is waiting for it. batch: gives way to those. */
  priority: "interactive" | "batch";
  /** Share of the machine beside others, 1 = one share. Absent: 1. */
  weight?: number;
}

/** What a scheduled generation yields: its place in the queue while it waits, then the engine's parts. */
export type ScheduledPart =
  | EnginePart
  /** place: 1 = next. estimateMs: until it starts, null where nothing was measured yet. Again after each change. */
  | { type: "queued"; place: number; estimateMs: number | null };

/** A loaded model, held for one use. Disposing lets the model become idle. */
export interface ModelLease extends AsyncDisposable {
  /**
   * Generates one reply in its turn. The counts and everything else that is quick go to `model` directly.
   * @throws CorralError QUEUE_FULL, RATE_LIMITED, CONTEXT_OVERFLOW, ENGINE_CRASHED
   */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<ScheduledPart>;
  readonly summary: ModelSummary;
  readonly model: LoadedModel;
  /** Tells how a reply went, so that plans show measured speed instead of an estimate. Never fails. */
  noteSpeed(statistics: GenerationStatistics): void;
}

/** An embedding model; it runs in a worker of its own. Between calls it may be unloaded for others, and is loaded again. */
export interface Embedder extends AsyncDisposable {
  /** Id of the model. */
  readonly id: string;
  readonly dimensions: number;
  /** Longest text, tokens. */
  readonly maxTokens: number;
  /** One vector of unit length per text. @throws CorralError CONTEXT_OVERFLOW (a text is too long), ENGINE_CRASHED */
  embed(texts: string[], kind: "query" | "document", signal: AbortSignal): Promise<Float32Array[]>;
  /** Token count of each text on its own, no special tokens. */
  countTokens(texts: string[], signal: AbortSignal): Promise<number[]>;
}

/** A reranking model; as `Embedder`. */
export interface Reranker extends AsyncDisposable {
  readonly id: string;
  /** How well each text answers the query, 0..1, in the order of the texts. */
  rank(query: string, texts: string[], signal: AbortSignal): Promise<number[]>;
  /** Token count of each text on its own, no special tokens. */
  countTokens(texts: string[], signal: AbortSignal): Promise<number[]>;
}

/** What is on this machine, what is loaded, who waits. */
export interface Models extends AsyncDisposable {
  list(): Promise<ModelSummary[]>;
  /** The list now and after each change, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<ModelSummary[]>;
  /**
   * Registers a GGUF file in place.
   * @param options.inPassing it was only named for one use, and does not become the default model by that
   * @throws CorralError FILE_NOT_FOUND, EMPTY_FILE, MODEL_FILE_INVALID
   */
  add(path: string, options?: { inPassing?: boolean }): Promise<ModelSummary>;
  /** @throws CorralError MODEL_NOT_FOUND */
  remove(id: string): Promise<void>;
  plan(id: string): Promise<LoadPlan>;
  load(id: string, signal: AbortSignal): Promise<ModelSummary>;
  unload(id: string): Promise<ModelSummary>;
  /**
   * The model for one use, loading it first when needed; null = the default model.
   * @param onWaiting called while it loads (0..1)
   * @throws CorralError NO_MODEL, MODEL_NOT_FOUND, MODEL_LOAD_FAILED, MODEL_QUARANTINED, INSUFFICIENT_MEMORY, CANCELLED
   */
  acquire(
    id: string | null,
    options: { signal: AbortSignal; onWaiting?: (progress: number | null) => void; client?: RequestClient },
  ): Promise<ModelLease>;
  /** An embedding model; null = the one in use here. @throws CorralError NO_MODEL (none installed), MODEL_NOT_FOUND, … */
  embedder(id: string | null, options: { signal: AbortSignal }): Promise<Embedder>;
  /** A reranking model; null = the one in use here. @throws CorralError NO_MODEL (none installed), MODEL_NOT_FOUND, … */
  reranker(id: string | null, options: { signal: AbortSignal }): Promise<Reranker>;
  /** Frees what is kept of a conversation besides the store: its KV cache, in slots and on disk. Never fails. */
  forgetConversation(cacheOwner: string, user?: string): Promise<void>;
  /** What is running, waiting and kept in memory, for metrics and the interface. */
  activity(): Promise<ModelsActivity>;
  /** The activity now and after changes, at most twice a second, until the signal aborts. */
  watchActivity(signal: AbortSignal): AsyncIterable<ModelsActivity>;
  settings(): Promise<ServingSettings>;
  /** Changes the given settings only. @throws CorralError MODEL_NOT_FOUND, INVALID_INPUT (a model of another ability) */
  configure(changes: ServingChanges): Promise<ServingSettings>;
}
