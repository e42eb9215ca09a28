import { CorralError, type ModelShape } from "@corral/protocol";
import type {
  Engine,
  EngineMemory,
  EngineMessage,
  EnginePart,
  EngineTool,
  EngineToolCall,
  GenerateRequest,
  LoadedModel,
  LoadSettings,
  ResidentMemory,
  TokenLogprob,
} from "./engine.ts";
import { fakeDimensions, fakeRank, fakeVector } from "./fake-vectors.ts";

/** What goes wrong with one load. */
export type LoadFault = "crash" | "hang" | "out-of-memory";

/** What goes wrong with one reply, after so many words of it. */
export interface ReplyFault {
  kind: "crash" | "hang" | "another-sequence";
  afterWords: number;
}

export interface FakeScript {
  /** The reply to a request; default: the last message's text back. With `alternatives` the first of them. */
  reply?: (request: GenerateRequest) => string;
  /** Calls a reply ends with, after its words; default: none. */
  calls?: (request: GenerateRequest) => EngineToolCall[];
  /** Time a load takes, ms; default 0. Half of it is reported as progress 0.5. */
  loadMs?: number;
  /** Time between words, ms; default 0. */
  wordMs?: number;
  /** What a loaded model says it has allocated; default: nothing. */
  memory?: EngineMemory[];
  /** Default: not known. */
  resident?: ResidentMemory;
  /** The vector of a text; default: of its words (fake-vectors.ts). */
  vector?: (text: string) => Float32Array;
  /** How well a text answers a query; default: the share of the query's words in it. */
  score?: (query: string, text: string) => number;
  /** Time to embed or rank one text, ms; default 0. */
  vectorMs?: number;
  /** Fault of the nth load (from 1), if any. */
  loadFault?: (load: number) => LoadFault | null;
  /** Fault of the nth reply (from 1) of all models of this engine, if any. */
  replyFault?: (reply: number) => ReplyFault | null;
}

/** An engine of scripted behaviour, with the handles a test needs. */
export interface FakeEngine extends Engine {
  /** Models loaded and neither disposed of nor crashed, by file id. */
  readonly loaded: ReadonlySet<string>;
  /** What happened, for example "load a", "dispose a", "crash a". */
  readonly history: string[];
  /** Settings of each load, in order. */
  readonly settings: LoadSettings[];
  /** Ends a model's engine as a SIGKILL would. */
  crash(id: string): void;
}

const shape: ModelShape = {
  architecture: "fake",
  parameters: 1000,
  layers: 1,
  embeddingLength: 8,
  feedForwardLength: 16,
  heads: 1,
  keyValueHeads: 1,
  keyLength: 8,
  valueLength: 8,
  vocabularySize: 100,
  trainContextSize: 1024,
};

const fakeMemory: EngineMemory[] = [{ gpu: null, weightsBytes: 0, kvCacheBytes: 0, computeBytes: 0 }];

/** One word is one token. Deterministic: the same script and calls give the same parts. For tests of faults and speed. */
export function createFakeEngine(script: FakeScript = {}): FakeEngine {
  const history: string[] = [];
  const settingsOfLoads: LoadSettings[] = [];
  const models = new Map<string, FakeModel>();
  /** Words of the replies being written, so that a fault can mix two of them up. */
  const running = new Map<number, string[]>();
  let loads = 0;
  let replies = 0;
  const nextReply = () => ++replies;

  return {
    history,
    settings: settingsOfLoads,
    get loaded() {
      return new Set(models.keys());
    },
    crash(id) {
      models.get(id)?.end("its process was ended by SIGKILL");
    },
    async load(file, settings, { signal, onProgress }) {
      const fault = script.loadFault?.(++loads) ?? null;
      history.push(`load ${file.id}`);
      settingsOfLoads.push(settings);
      onProgress?.(0);
      await pause((script.loadMs ?? 0) / 2, signal);
      onProgress?.(0.5);
      await pause((script.loadMs ?? 0) / 2, signal);
      if (fault === "hang") await pause(Infinity, signal);
      if (fault === "crash") {
        const reason = "its process was ended by SIGABRT";
        throw new CorralError("MODEL_LOAD_FAILED", `${file.id} could not be loaded.`, { model: file.id, reason });
      }
      if (fault === "out-of-memory") {
        throw new CorralError("INSUFFICIENT_MEMORY", `${file.id} does not fit.`, { devices: [] });
      }
      onProgress?.(1);
      const model = new FakeModel(file.id, settings, script, running, nextReply, (event) => {
        models.delete(file.id);
        history.push(`${event} ${file.id}`);
      });
      models.set(file.id, model);
      return model;
    },
    forget(owner) {
      history.push(`forget ${owner}`);
      return Promise.resolve();
    },
  };
}

class FakeModel implements LoadedModel {
  readonly facts: LoadedModel["facts"];
  readonly resident: ResidentMemory | null;
  readonly ended: Promise<{ reason: string } | null>;
  readonly #id: string;
  readonly #script: FakeScript;
  readonly #running: Map<number, string[]>;
  readonly #nextReply: () => number;
  readonly #over: (event: "crash" | "dispose") => void;
  readonly #end = Promise.withResolvers<{ reason: string } | null>();
  readonly #gone = new AbortController();

  constructor(
    id: string,
    settings: LoadSettings,
    script: FakeScript,
    running: Map<number, string[]>,
    nextReply: () => number,
    over: (event: "crash" | "dispose") => void,
  ) {
    this.#id = id;
    this.#script = script;
    this.#running = running;
    this.#nextReply = nextReply;
    this.#over = over;
    this.ended = this.#end.promise;
    const { slots, purpose = "generate" } = settings;
    const { memory = fakeMemory, loadMs = 0, resident = null } = script;
    const contextSize = Math.max(...slots.map((group) => group.contextSize));
    this.facts = {
      ...{ contextSize, slots, shape, chatFormat: "Fake", backend: "cpu", loadMs, memory },
      ...(purpose === "embed" ? { dimensions: fakeDimensions } : {}),
      ...(purpose === "generate" ? {} : { maxTokens: contextSize }),
    };
    this.resident = resident;
  }

  end(reason: string | null): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#over(reason === null ? "dispose" : "crash");
    this.#end.resolve(reason === null ? null : { reason });
  }

  countTokens(texts: string[]): Promise<number[]> {
    if (this.#gone.signal.aborted) return Promise.reject(this.#crashed());
    return Promise.resolve(texts.map((text) => wordsOf(text).length));
  }

  async countPromptTokens(
    messages: EngineMessage[],
    _signal?: AbortSignal,
    tools: readonly EngineTool[] = [],
  ): Promise<number> {
    const said = ({ text, toolCalls = [] }: EngineMessage) => [text, ...toolCalls.map((call) => call.arguments)];
    const counts = await this.countTokens([...messages.flatMap(said), ...tools.map(({ description }) => description)]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async embed(texts: string[], signal: AbortSignal): Promise<Float32Array[]> {
    await this.#workOn(texts, signal);
    return texts.map((text) => this.#script.vector?.(text) ?? fakeVector(text));
  }

  async rank(query: string, texts: string[], signal: AbortSignal): Promise<number[]> {
    await this.#workOn(
      texts.map((text) => `${query} ${text}`),
      signal,
    );
    return texts.map((text) => this.#script.score?.(query, text) ?? fakeRank(query, text));
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<EnginePart, void> {
    const said = request.prompt === undefined ? request.messages : [{ role: "user", text: request.prompt } as const];
    const tools = request.toolChoice === "none" ? [] : request.tools;
    const promptTokens = await this.countPromptTokens(said, signal, tools);
    if (promptTokens + request.maxTokens > this.facts.contextSize) {
      const data = { promptTokens, replyTokens: request.maxTokens, contextTokens: this.facts.contextSize };
      throw new CorralError("CONTEXT_OVERFLOW", "The prompt does not fit.", data);
    }
    const number = this.#nextReply();
    const fault = this.#script.replyFault?.(number) ?? null;
    const reply = request.alternatives?.[0] ?? this.#script.reply?.(request) ?? said.at(-1)?.text ?? "";
    const { text, stopText } = endedBefore(reply, request.stop ?? []);
    const words = wordsOf(text);
    const statistics = { promptTokens, cachedTokens: 0, completionTokens: 0, prefillMs: 1, decodeMs: 1 };
    this.#running.set(number, words);
    try {
      yield { type: "prefill-progress", done: promptTokens, total: promptTokens };
      for (let index = 0; index < words.length && index < request.maxTokens; index++) {
        const isFaulty = fault !== null && index >= fault.afterWords;
        if (isFaulty && fault.kind === "crash") this.end("its process was ended by SIGABRT");
        await this.#next(isFaulty && fault.kind === "hang" ? Infinity : (this.#script.wordMs ?? 0), signal);
        if (signal.aborted) break;
        const own = isFaulty && fault.kind === "another-sequence" ? this.#otherWords(number) : words;
        statistics.completionTokens++;
        const word = own[index] ?? "";
        const logprobs = request.logprobs === undefined ? {} : { logprobs: [fakeLogprob(word, request.logprobs)] };
        yield { type: "text-delta", text: word, tokens: 1, ...logprobs };
      }
      const isCut = statistics.completionTokens < words.length;
      const isStopped = stopText !== null && !isCut && !signal.aborted;
      const calls = isCut || isStopped || signal.aborted ? [] : (this.#script.calls?.(request) ?? []);
      for (const call of calls) yield { type: "tool-call", call };
      yield {
        type: "finish",
        reason: signal.aborted ? "cancelled" : isCut ? "length" : calls.length > 0 ? "tool-calls" : "stop",
        ...(isStopped ? { stopText } : {}),
        statistics,
      };
    } finally {
      this.#running.delete(number);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.end(null);
    return Promise.resolve();
  }

  /** A word each for the time it takes. @throws CorralError CONTEXT_OVERFLOW, CANCELLED, ENGINE_CRASHED */
  async #workOn(texts: readonly string[], signal: AbortSignal): Promise<void> {
    for (const [index, text] of texts.entries()) {
      const promptTokens = wordsOf(text).length;
      const contextTokens = this.facts.contextSize;
      if (promptTokens > contextTokens) {
        const data = { promptTokens, replyTokens: 0, contextTokens };
        throw new CorralError("CONTEXT_OVERFLOW", `Text ${index} is too long for ${this.#id}.`, data);
      }
    }
    if (this.#gone.signal.aborted) throw this.#crashed();
    if (signal.aborted || this.#script.vectorMs) await pause((this.#script.vectorMs ?? 0) * texts.length, signal);
  }

  async #next(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, AbortSignal.any([signal, this.#gone.signal])).catch(() => undefined);
    if (this.#gone.signal.aborted) throw this.#crashed();
  }

  #otherWords(number: number): string[] {
    for (const [other, words] of this.#running) if (other !== number) return words;
    return [];
  }

  #crashed(): CorralError<"ENGINE_CRASHED"> {
    return new CorralError("ENGINE_CRASHED", `The engine running ${this.#id} stopped.`, { model: this.#id });
  }
}

/** The text before the first of the stop texts. */
function endedBefore(text: string, stops: readonly string[]): { text: string; stopText: string | null } {
  let ended: { text: string; stopText: string | null } = { text, stopText: null };
  for (const stopText of stops) {
    const at = stopText === "" ? -1 : ended.text.indexOf(stopText);
    if (at >= 0) ended = { text: ended.text.slice(0, at), stopText };
  }
  return ended;
}

/** Each word is as likely as a half, the next one half as likely, and so on. */
function fakeLogprob(word: string, count: number): TokenLogprob {
  const told = (token: string, place: number) => ({
    token,
    bytes: [...Buffer.from(token)],
    logprob: Math.log(0.5 ** (place + 1)),
  });
  const top = Array.from({ length: count }, (_, place) => told(place === 0 ? word : `${word.trim()}-${place}`, place));
  return { ...told(word, 0), top };
}

/** Words with the space after them, so that they join to the text again. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** @throws CorralError CANCELLED */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(new CorralError("CANCELLED", "Stopped on request.", {}));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
