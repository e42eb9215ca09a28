import type { KvCacheType, ModelShape, PlanSlots } from "@corral/protocol";

/** One turn of a conversation as the engine sees it. */
export interface EngineMessage {
  /** tool: the result of a call the assistant made before ("ipython" in Llama 3.1's words). */
  role: "system" | "user" | "assistant" | "tool";
  /** Plain text. Never read as control tokens, whatever it contains. */
  text: string;
  /** Of an assistant's turn: the calls it made, in order. */
  toolCalls?: EngineToolCall[];
  /** Of a tool's turn: the id of the call it answers. */
  toolCallId?: string;
}

/** A function the model may ask the caller to run. */
export interface EngineTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments object. None at all: the tool takes no arguments. */
  parameters: Record<string, unknown>;
  /**
   * false: where `parameters` say what no grammar enforces, the arguments are any JSON object; whoever runs the tool checks
   * them. Absent: such a tool is refused, and arguments are always valid.
   */
  strict?: boolean;
}

export interface EngineToolCall {
  id: string;
  name: string;
  /** The arguments object as JSON text; with a grammar in force it always parses. */
  arguments: string;
}

/** Whether the model must, may or must not call a tool. */
export type ToolChoice = "auto" | "none" | "required" | { name: string };

/**
 * How likely a written token was by the model itself (at temperature 1), after penalties, biases and a grammar; natural
 * logarithms. Tokens that topK, topP or minP put out have no share, where the temperature is not 0.
 */
export interface TokenLogprob {
  token: string;
  bytes: number[];
  logprob: number;
  /** The likeliest tokens at this place, likeliest first. */
  top: { token: string; bytes: number[]; logprob: number }[];
}

/** How to load a model. */
export interface LoadSettings {
  /** What it is loaded for. Absent: generate. */
  purpose?: "generate" | "embed" | "rank";
  /** Requests served side by side, by the context each of them has. A request takes the smallest free slot that holds it. */
  slots: PlanSlots[];
  /** Layers on the GPU; 0 = CPU only. */
  gpuLayers: number;
  threads: number;
  kvCacheType: KvCacheType;
  /** Tokens evaluated in one step; the compute buffer grows with it. Absent: 512. */
  batchSize?: number;
  /** Map the weights from their file instead of reading them into memory. Absent: map. */
  mapsWeights?: boolean;
  /** A smaller model of the same vocabulary that guesses ahead, used where it measured faster. */
  draft?: { path: string };
  /** Where KV caches of conversations that lost their slot are kept, with `stateBudgetBytes`. Absent: nowhere. */
  stateDirectory?: string;
  /** Bytes on disk for all kept KV caches of this model; the least recently used go first. Absent or 0: none are kept. */
  stateBudgetBytes?: number;
  /** Ids (as in GpuDevice) of the NVIDIA GPUs the engine may see; absent: all. llama.cpp spreads layers over all it sees. */
  visibleGpus?: string[];
}

export interface GenerateRequest {
  messages: EngineMessage[];
  /** Raw text to continue, in place of `messages`, without any chat format. Never read as control tokens. */
  prompt?: string;
  /** Functions the model may call. A model whose format knows no tools gets them in Llama 3.1's JSON form. */
  tools?: EngineTool[];
  /** Absent: auto. */
  toolChoice?: ToolChoice;
  /** May one turn hold several calls. Absent: yes. */
  parallelToolCalls?: boolean;
  /**
   * The reply is JSON text of this schema, enforced by a grammar; `{ type: "object" }` alone: any JSON object. What no
   * grammar enforces is refused (engines/request-checks.ts). Beside tools: the reply is either a call or such JSON.
   */
  jsonSchema?: Record<string, unknown>;
  /** The reply ends before any of these. */
  stop?: string[];
  /** Report how likely each token was, with so many alternatives (0..20). Absent: not. */
  logprobs?: number;
  /** -2..2 as OpenAI defines them. */
  frequencyPenalty?: number;
  presencePenalty?: number;
  /** Added to the logits of these tokens (by id), -100..100. Tokens that end a reply are refused. */
  logitBias?: Record<number, number>;
  /** When given, the reply is exactly one of these strings (enforced by a grammar while sampling). */
  alternatives?: string[];
  /**
   * Whose request this is, for example a conversation's id. Only requests with the same owner reuse each other's KV
   * cache: no other owner's words can leak into a reply, and nobody can time what others asked. Absent: nothing is reused.
   */
  cacheOwner?: string;
  /** The reply is likely to repeat pieces of its prompt (quotes): guess ahead from it where that measured faster. */
  speculation?: "prompt-lookup";
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
  | { type: "text-delta"; text: string; tokens: number; logprobs?: TokenLogprob[] }
  /** A whole call, when its last token is written. */
  | { type: "tool-call"; call: EngineToolCall }
  | {
      type: "finish";
      reason: "stop" | "length" | "cancelled" | "tool-calls";
      /** Which of `stop` ended the reply, where one did. */
      stopText?: string;
      statistics: GenerationStatistics;
    };

/** Counts in tokens, times in ms as measured in the worker. */
export interface GenerationStatistics {
  promptTokens: number;
  /** Prompt tokens found in the KV cache, in memory or kept on disk. */
  cachedTokens: number;
  /** Those of them that came from disk. Absent: none. */
  restoredTokens?: number;
  completionTokens: number;
  /** From the start of evaluation to the first token. */
  prefillMs: number;
  /** From the first token to the last. */
  decodeMs: number;
  /** Tokens written without an evaluation of their own. Absent: nothing was guessed ahead. */
  speculation?: SpeculationStatistics;
}

/** What guessing ahead gave, tokens. */
export interface SpeculationStatistics {
  /** grammar: the grammar left one continuation only, which needs no model. */
  kind: "prompt-lookup" | "draft" | "grammar";
  /** Guessed and found right. */
  accepted: number;
  /** Guessed and found wrong. */
  rejected: number;
}

export interface LoadedModelFacts {
  /** Tokens of the largest slot. */
  contextSize: number;
  /** Largest first. */
  slots: PlanSlots[];
  shape: ModelShape;
  /** Name of the chat format in use, for example "Llama 3.1". */
  chatFormat: string;
  /** "cpu", "cuda", "metal" or "vulkan". */
  backend: string;
  loadMs: number;
  /** Of a model loaded for embedding: length of its vectors. */
  dimensions?: number;
  /** Of a model loaded for embedding or ranking: the longest text (query and text together), tokens. */
  maxTokens?: number;
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
  /** Token count of the whole prompt as the chat format would render it, with what it says about the tools. */
  countPromptTokens(messages: EngineMessage[], signal?: AbortSignal, tools?: EngineTool[]): Promise<number>;
  /**
   * Generates one reply; waits for a free sequence first. Aborting stops decoding and ends the stream with
   * `finish` of reason "cancelled".
   * @throws CorralError CONTEXT_OVERFLOW (nothing is ever cut), INVALID_INPUT (tools, a schema or a bias that cannot be
   * kept), ENGINE_CRASHED
   */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<EnginePart>;
  /**
   * One vector of unit length per text. Only of a model loaded for embedding.
   * @throws CorralError CONTEXT_OVERFLOW (a text is too long; the message names its index), CANCELLED, ENGINE_CRASHED
   */
  embed(texts: string[], signal: AbortSignal): Promise<Float32Array[]>;
  /** 0..1 per text: how well it answers the query. Only of a model loaded for ranking. Throws as `embed` does. */
  rank(query: string, texts: string[], signal: AbortSignal): Promise<number[]>;
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
  /**
   * Forgets what is kept of an owner's (`cacheOwner`) prompts and replies in KV caches, in memory and on disk: for a
   * conversation that was deleted. Replies that are being written go on, and leave nothing behind.
   */
  forget(owner: string): Promise<void>;
}
