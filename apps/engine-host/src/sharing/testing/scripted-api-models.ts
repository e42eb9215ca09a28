import { CorralError, type ModelsActivity, type ModelShape, type ModelSummary } from "@corral/protocol";
import { fakeDimensions, fakeRank, fakeVector } from "../../engines/fake-vectors.ts";
import type { EngineMessage, EnginePart, EngineTool, GenerateRequest, LoadedModel } from "../../engines/engine.ts";
import type { Embedder, ModelLease, RequestClient, Reranker, ScheduledPart } from "../../models/models.ts";
import type { ApiServices } from "../api.ts";

/** What a scripted reply yields besides the last part: texts, calls, places in the queue. A pause is `{ pauseMs }`. */
export type ScriptedPart = string | Exclude<ScheduledPart, { type: "finish" }> | { pauseMs: number } | ScriptedEnd;
type ScriptedEnd = { end: "stop" | "length" | "tool-calls"; stopText?: string };

export type ReplyScript = (request: GenerateRequest) => Iterable<ScriptedPart>;

const shape: ModelShape = {
  architecture: "llama",
  parameters: 1_000,
  layers: 1,
  embeddingLength: 8,
  feedForwardLength: 16,
  heads: 1,
  keyValueHeads: 1,
  keyLength: 8,
  valueLength: 8,
  vocabularySize: 128_256,
  trainContextSize: 4_096,
};

/** Models that answer as a test says. One word is one token; a message costs three more. */
export class ScriptedApiModels {
  readonly summaries: ModelSummary[];
  readonly requests: GenerateRequest[] = [];
  readonly clients: (RequestClient | undefined)[] = [];
  /** Leases that were not given back, and replies being written. */
  held = 0;
  writing = 0;
  /** Replies that were stopped before their end, and when (performance.now()) the last one was. */
  stopped = 0;
  stoppedAt = 0;
  /** Thrown instead of giving a model. */
  acquireFailure: CorralError | null = null;
  /** Thrown by `generate` before its first part. */
  generateFailure: CorralError | null = null;
  contextSize = 4_096;
  reply: ReplyScript = (request) => [request.messages.at(-1)?.text ?? request.prompt ?? ""];

  constructor(summaries: ModelSummary[] = [chatModel, readerModel, embeddingModel, rankModel]) {
    this.summaries = summaries;
  }

  /** What the API asks of models. */
  get services(): ApiServices["models"] {
    return {
      list: async () => this.summaries,
      acquire: async (id, { signal, client }) => {
        signal.throwIfAborted();
        if (this.acquireFailure !== null) throw this.acquireFailure;
        const summary = this.summaries.find((model) => model.id === id);
        if (summary === undefined) throw new CorralError("MODEL_NOT_FOUND", "No such model.", { model: String(id) });
        this.clients.push(client);
        return this.#lease(summary);
      },
      embedder: async (id) => this.#embedder(id),
      reranker: async (id) => this.#reranker(id),
      activity: async () => this.#activity(),
    };
  }

  #lease(summary: ModelSummary): ModelLease {
    this.held++;
    return {
      summary,
      model: this.#model(),
      generate: (request, signal) => this.#generate(request, signal),
      noteSpeed: () => {},
      [Symbol.asyncDispose]: async () => {
        this.held--;
      },
    };
  }

  #model(): LoadedModel {
    const facts = { contextSize: this.contextSize, shape } as LoadedModel["facts"];
    const countPromptTokens = async (messages: EngineMessage[], _signal?: AbortSignal, tools: EngineTool[] = []) =>
      messages.reduce((sum, { text }) => sum + words(text).length + 3, 0) + tools.length * 10;
    return {
      facts,
      countTokens: async (texts: string[]) => texts.map((text) => words(text).length),
      countPromptTokens,
    } as Partial<LoadedModel> as LoadedModel;
  }

  async *#generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<ScheduledPart> {
    this.requests.push(request);
    if (this.generateFailure !== null) throw this.generateFailure;
    const promptTokens =
      request.messages.reduce((sum, { text }) => sum + words(text).length + 3, 0) + words(request.prompt ?? "").length;
    if (promptTokens + request.maxTokens > this.contextSize) {
      const data = { promptTokens, replyTokens: request.maxTokens, contextTokens: this.contextSize };
      throw new CorralError(
        "CONTEXT_OVERFLOW",
        `The prompt has ${promptTokens} tokens and asks for ${request.maxTokens} more, but the context has ${this.contextSize}.`,
        data,
      );
    }
    this.writing++;
    let completionTokens = 0;
    let end: ScriptedEnd = { end: "stop" };
    let isWhole = false;
    try {
      const script = request.alternatives ? [request.alternatives[0]!] : this.reply(request);
      let hasBegun = false;
      for (const part of script) {
        if (typeof part === "object" && "pauseMs" in part) {
          await pause(part.pauseMs, signal);
        } else if (typeof part === "object" && "end" in part) {
          end = part;
        } else if (typeof part === "object" && part.type === "queued") {
          yield part;
        } else {
          if (!hasBegun) yield { type: "prefill-progress", done: promptTokens, total: promptTokens };
          hasBegun = true;
          if (typeof part === "string") {
            for (const text of words(part)) {
              if (signal.aborted || completionTokens >= request.maxTokens) break;
              completionTokens++;
              yield { type: "text-delta", text, tokens: 1, ...logprobsOf(text, request) };
            }
            if (completionTokens >= request.maxTokens) end = { end: "length" };
          } else {
            if (part.type === "tool-call") end = { end: "tool-calls" };
            completionTokens++;
            yield part;
          }
        }
        if (signal.aborted) break;
      }
      isWhole = !signal.aborted;
      const statistics = { promptTokens, cachedTokens: 2, completionTokens, prefillMs: 1, decodeMs: 1 };
      const finish: EnginePart = signal.aborted
        ? { type: "finish", reason: "cancelled", statistics }
        : {
            type: "finish",
            reason: end.end,
            ...(end.stopText === undefined ? {} : { stopText: end.stopText }),
            statistics,
          };
      yield finish;
    } finally {
      this.writing--;
      if (!isWhole) {
        this.stopped++;
        this.stoppedAt = performance.now();
      }
    }
  }

  #embedder(id: string | null): Embedder {
    const model = this.summaries.find((candidate) => candidate.id === id && candidate.ability === "embed");
    if (model === undefined) throw new CorralError("MODEL_NOT_FOUND", "No such model.", { model: String(id) });
    return {
      id: model.id,
      dimensions: fakeDimensions,
      maxTokens: 64,
      countTokens: async (texts: string[]) => texts.map((text) => words(text).length),
      embed: async (texts, kind) => {
        const tooLong = texts.find((text) => words(text).length > 64);
        if (tooLong !== undefined) {
          const data = { promptTokens: words(tooLong).length, replyTokens: 0, contextTokens: 64 };
          throw new CorralError("CONTEXT_OVERFLOW", "A text is too long for this model.", data);
        }
        return texts.map((text) => fakeVector(kind === "query" ? `query ${text}` : text));
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #reranker(id: string | null): Reranker {
    const model = this.summaries.find((candidate) => candidate.id === id && candidate.ability === "rank");
    if (model === undefined) throw new CorralError("MODEL_NOT_FOUND", "No such model.", { model: String(id) });
    return {
      id: model.id,
      countTokens: async (texts: string[]) => texts.map((text) => words(text).length),
      rank: async (query, texts) => texts.map((text) => fakeRank(query, text)),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #activity(): ModelsActivity {
    const histogram = { boundsMs: [100, 1000], counts: [1, 2, 3], sumMs: 4_500 };
    return {
      since: "2026-11-24T00:00:00.000Z",
      models: [
        {
          model: "scripted",
          name: 'Scripted "one"',
          purpose: "generate",
          state: "ready",
          slots: [{ contextSize: 4_096, total: 4, busy: 1 }],
          running: 1,
          queued: 2,
          waitMs: 10,
          kvUsedTokens: 100,
          kvTotalTokens: 16_384,
          memory: [{ device: "cpu", name: "Main memory", bytes: 1_000 }],
          counters: {
            promptTokens: 10,
            cachedTokens: 5,
            completionTokens: 20,
            completed: 1,
            cancelled: 0,
            failed: 0,
            refusedQueueFull: 7,
            refusedRateLimited: 0,
            loads: 1,
            crashes: 0,
          },
          timeToFirstToken: histogram,
          queueWait: histogram,
          decodeTokensPerSecond: null,
          prefillTokensPerSecond: null,
        },
      ],
    };
  }
}

/** Words with the space after them, so that they join to the text again. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/gu) ?? [];
}

function logprobsOf(token: string, { logprobs }: GenerateRequest) {
  if (logprobs === undefined) return {};
  const bytes = [...Buffer.from(token)];
  const top = Array.from({ length: logprobs }, (_, at) => ({ token, bytes, logprob: -0.5 - at }));
  return { logprobs: [{ token, bytes, logprob: -0.5, top }] };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function summary(id: string, ability: ModelSummary["ability"], given: Partial<ModelSummary> = {}): ModelSummary {
  return {
    id,
    name: `Model ${id}`,
    file: `/nowhere/${id}.gguf`,
    fileBytes: 1,
    ability,
    embedded: false,
    shape,
    tier: "INT4",
    quantization: "Q4_K_M",
    state: "idle",
    loadProgress: null,
    contextSize: 4_096,
    lastError: null,
    ...given,
  };
}

export const chatModel = summary("scripted", "chat");
const readerModel = summary("corral-reader", "quote", { embedded: true });
const embeddingModel = summary("scripted-embed", "embed");
const rankModel = summary("scripted-rank", "rank");
