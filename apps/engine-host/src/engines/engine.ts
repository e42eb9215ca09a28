import type { KvCacheType, ModelShape } from "@corral/protocol";

/** One turn of a conversation as the engine sees it. */
export interface EngineMessage {
  role: "system" | "user" | "assistant";
  /** Plain text. Never read as control tokens, whatever it contains. */
  text: string;
}

/** How to load a model. */
export interface LoadSettings {
  /** Tokens of one sequence (slot). */
  contextSize: number;
  /** How many sequences decode side by side. */
  sequences: number;
  /** Layers on the GPU; 0 = CPU only. */
  gpuLayers: number;
  threads: number;
  kvCacheType: KvCacheType;
  /** Tokens evaluated in one step; the compute buffer grows with it. Absent: 512. */
  batchSize?: number;
  /** Map the weights from their file instead of reading them into memory. Absent: map. */
  mapsWeights?: boolean;
  /** Ids (as in GpuDevice) of the NVIDIA GPUs the engine may see; absent: all. llama.cpp spreads layers over all it sees. */
  visibleGpus?: string[];
}

export interface GenerateRequest {
  messages: EngineMessage[];
  /** When given, the reply is exactly one of these strings (enforced by a grammar while sampling). */
  alternatives?: string[];
  /**
   * Whose request this is, for example a conversation's id. Only requests with the same owner reuse each other's KV
   * cache: no other owner's words can leak into a reply, and nobody can time what others asked. Absent: nothing is reused.
   */
  cacheOwner?: string;
  /** Room for the reply, tokens. Together with the prompt it must fit the context. */
  maxTokens: number;
  /** 0 = greedy. */
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  repeatPenalty: number;
  seed: number | null;
}

/** What a generation yields, in this order; `finish` is last. Text parts are coalesced to about 30 ms. */
export type EnginePart =
  | { type: "prefill-progress"; done: number; total: number }
  | { type: "text-delta"; text: string; tokens: number }
  | { type: "finish"; reason: "stop" | "length" | "cancelled"; statistics: GenerationStatistics };

/** Counts in tokens, times in ms as measured in the worker. */
export interface GenerationStatistics {
  promptTokens: number;
  /** Prompt tokens found in the KV cache of the sequence. */
  cachedTokens: number;
  completionTokens: number;
  /** From the start of evaluation to the first token. */
  prefillMs: number;
  /** From the first token to the last. */
  decodeMs: number;
}

export interface LoadedModelFacts {
  contextSize: number;
  sequences: number;
  shape: ModelShape;
  /** Name of the chat format in use, for example "Llama 3.1". */
  chatFormat: string;
  /** "cpu", "cuda", "metal" or "vulkan". */
  backend: string;
  loadMs: number;
  /** What the engine reports having allocated: per GPU it sees, in its order, and main memory last. */
  memory: EngineMemory[];
}

/** What lies on one device, bytes. */
export interface EngineMemory {
  /** Number of the GPU among those the engine sees; null: main memory. */
  gpu: number | null;
  weightsBytes: number;
  kvCacheBytes: number;
  computeBytes: number;
}

/** Memory of the engine's own process that is resident in main memory, bytes. Null where no process of ours runs it. */
export interface ResidentMemory {
  /** Before the model was opened: the runtime alone. */
  beforeBytes: number;
  /** When it was loaded. */
  afterBytes: number;
  /** The most so far. */
  peakBytes: number;
}

/**
 * A model that is loaded and serving. Whoever loaded it disposes of it; disposal ends its process and frees its memory.
 * Every call rejects with ENGINE_CRASHED once the engine is gone.
 */
export interface LoadedModel extends AsyncDisposable {
  readonly facts: LoadedModelFacts;
  /** As last heard from the engine, at most a second old while it works; null: not known. */
  readonly resident: ResidentMemory | null;
  /** Settles when the engine ends: null after disposal, else why it died. */
  readonly ended: Promise<{ reason: string } | null>;
  /** Token count of each text on its own, no special tokens. */
  countTokens(texts: string[], signal?: AbortSignal): Promise<number[]>;
  /** Token count of the whole prompt as the chat format would render it. */
  countPromptTokens(messages: EngineMessage[], signal?: AbortSignal): Promise<number>;
  /**
   * Generates one reply; waits for a free sequence first. Aborting stops decoding and ends the stream with
   * `finish` of reason "cancelled".
   * @throws CorralError CONTEXT_OVERFLOW (nothing is ever cut), ENGINE_CRASHED
   */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<EnginePart>;
}

/** A kind of engine: the llama one (in a worker process), an upstream server, or a scripted fake. */
export interface Engine {
  /**
   * @param onProgress 0..1
   * @throws CorralError MODEL_FILE_INVALID, MODEL_LOAD_FAILED, INSUFFICIENT_MEMORY, CANCELLED
   */
  load(
    file: { id: string; path: string },
    settings: LoadSettings,
    options: { signal: AbortSignal; onProgress?: (fraction: number) => void },
  ): Promise<LoadedModel>;
}
