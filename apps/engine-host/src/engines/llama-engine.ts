import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CorralError, type ErrorCode } from "@corral/protocol";
import type { ErrorReport } from "@corral/protocol";
import type { Logger } from "../logger.ts";
import type {
  Engine,
  EngineMessage,
  EnginePart,
  EngineTool,
  GenerateRequest,
  LoadedModel,
  LoadedModelFacts,
  LoadSettings,
  ResidentMemory,
} from "./engine.ts";
import { readGgufHeader } from "./gguf-header.ts";
import { PartQueue } from "./part-queue.ts";
import type { FromWorker } from "./worker-channel.ts";
import { stateFolderOf } from "./state-folder.ts";
import { inferenceWorkerPath } from "./worker-path.ts";
import { defaultLivenessLimits, WorkerProcess, type LivenessLimits } from "./worker-process.ts";

export interface LlamaEngineOptions {
  logger: Logger;
  /** Where workers keep KV caches: the directory of all loads' settings. Absent: `forget` looks for none. */
  stateDirectory?: string;
  /** Another worker program (tests) instead of the shipped one. */
  workerPath?: string;
  limits?: Partial<LivenessLimits>;
}

/** How long a worker that ends may take to keep its KV caches on disk, ms. Most are there already: see idle-care.ts. */
const retirementMs = 10_000;

/** The embedded engine: llama.cpp through node-llama-cpp, one child process per loaded model. */
export function createLlamaEngine(options: LlamaEngineOptions): Engine {
  const live = new Set<WorkerModel>();
  return {
    async forget(owner) {
      await Promise.all([...live].map((model) => model.forget(owner)));
      if (options.stateDirectory === undefined) return;
      await rm(stateFolderOf(options.stateDirectory, owner), { recursive: true, force: true });
    },
    async load(file, settings, { signal, onProgress }) {
      throwIfCancelled(signal);
      // Our own bounded check comes first: node-llama-cpp's reader hangs or aborts on hostile headers.
      const { shape } = await readGgufHeader(file.path, signal);
      const model = new WorkerModel(file, settings, shape, options);
      live.add(model);
      void model.ended.then(() => live.delete(model));
      await model.whenLoaded(signal, onProgress);
      return model;
    },
  };
}

type Call =
  | { kind: "answer"; resolve: (answer: never) => void; reject: (error: unknown) => void }
  | { kind: "generate"; queue: PartQueue<EnginePart> };

class WorkerModel implements LoadedModel {
  readonly ended: Promise<{ reason: string } | null>;
  readonly #id: string;
  readonly #worker: WorkerProcess;
  readonly #calls = new Map<number, Call>();
  readonly #load = Promise.withResolvers<LoadedModelFacts>();
  readonly #logger: Logger;
  readonly #keepsStates: boolean;
  #facts: LoadedModelFacts | null = null;
  #resident: ResidentMemory | null = null;
  #onLoadProgress: ((fraction: number) => void) | undefined;
  #nextCall = 1;
  #gone: { reason: string } | null = null;

  constructor(
    file: { id: string; path: string },
    settings: LoadSettings,
    shape: LoadedModelFacts["shape"],
    options: LlamaEngineOptions,
  ) {
    this.#id = file.id;
    this.#logger = options.logger;
    this.#keepsStates = settings.stateDirectory !== undefined && (settings.stateBudgetBytes ?? 0) > 0;
    const process = {
      path: options.workerPath ?? inferenceWorkerPath(),
      visibleGpus: settings.visibleGpus,
      limits: { ...defaultLivenessLimits, ...options.limits },
    };
    this.#worker = new WorkerProcess(process, (message) => this.#receive(message));
    this.ended = this.#worker.ended.then(({ intended, reason }) => {
      this.#gone = { reason };
      const error = this.#crashed();
      this.#load.reject(loadFailed(this.#id, reason));
      for (const call of this.#calls.values()) {
        if (call.kind === "answer") call.reject(error);
        else call.queue.fail(error);
      }
      this.#calls.clear();
      if (!intended) this.#logger.warn("inference-worker-died", { model: this.#id, reason });
      return intended ? null : { reason };
    });
    this.#worker.send({ type: "load", model: file.id, path: file.path, settings, shape });
  }

  get facts(): LoadedModelFacts {
    if (!this.#facts) throw new Error("The model has not been loaded yet.");
    return this.#facts;
  }

  get resident(): ResidentMemory | null {
    return this.#resident;
  }

  /** The worker's process id, for tests and logs. */
  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** Resolves when the worker serves the model. Aborting, like any failure, ends the worker. */
  async whenLoaded(signal: AbortSignal, onProgress: ((fraction: number) => void) | undefined): Promise<void> {
    this.#onLoadProgress = onProgress;
    const abort = () => this.#load.reject(cancelled());
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      this.#facts = await this.#load.promise;
      this.#worker.markLoaded();
    } catch (error) {
      await this.#worker.kill();
      throw error;
    } finally {
      this.#onLoadProgress = undefined;
      signal.removeEventListener("abort", abort);
    }
  }

  countTokens(texts: string[], signal?: AbortSignal): Promise<number[]> {
    if (texts.length === 0) return Promise.resolve([]);
    return this.#ask((call) => this.#worker.send({ type: "count-tokens", call, texts }), signal);
  }

  async countPromptTokens(messages: EngineMessage[], signal?: AbortSignal, tools?: EngineTool[]): Promise<number> {
    const send = (call: number) => this.#worker.send({ type: "count-prompt-tokens", call, messages, tools });
    const [count = 0] = await this.#ask<number[]>(send, signal);
    return count;
  }

  embed(texts: string[], signal: AbortSignal): Promise<Float32Array[]> {
    if (texts.length === 0) return Promise.resolve([]);
    return this.#ask((call) => this.#worker.send({ type: "embed", call, texts }), signal);
  }

  rank(query: string, texts: string[], signal: AbortSignal): Promise<number[]> {
    if (texts.length === 0) return Promise.resolve([]);
    return this.#ask((call) => this.#worker.send({ type: "rank", call, query, texts }), signal);
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<EnginePart, void> {
    if (this.#gone) throw this.#crashed();
    if (signal.aborted) {
      yield { type: "finish", reason: "cancelled", statistics: nothingGenerated };
      return;
    }
    const call = this.#nextCall++;
    const queue = new PartQueue<EnginePart>();
    this.#calls.set(call, { kind: "generate", queue });
    const cancel = () => this.#worker.send({ type: "cancel", call });
    signal.addEventListener("abort", cancel, { once: true });
    try {
      this.#worker.send({ type: "generate", call, request });
      yield* queue.read();
    } finally {
      signal.removeEventListener("abort", cancel);
      // Still open: the reader left early, and nobody wants the rest.
      if (this.#calls.delete(call)) cancel();
    }
  }

  /** Resolves when the worker holds nothing of the owner any more, or is gone. */
  async forget(owner: string): Promise<void> {
    await this.#ask((call) => this.#worker.send({ type: "forget", call, owner }), undefined).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keepsStates && this.#facts && !this.#gone) {
      const retired = this.#ask((call) => this.#worker.send({ type: "retire", call }), undefined);
      await Promise.race([retired, sleep(retirementMs, undefined, { ref: false })]).catch(() => undefined);
    }
    await this.#worker.kill();
  }

  /** Sends a call that has one answer. */
  #ask<Answer>(send: (call: number) => void, signal: AbortSignal | undefined): Promise<Answer> {
    if (this.#gone) return Promise.reject(this.#crashed());
    const call = this.#nextCall++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const abort = () => {
      if (this.#calls.has(call)) this.#worker.send({ type: "cancel", call });
      reject(cancelled());
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    else {
      this.#calls.set(call, { kind: "answer", resolve, reject });
      send(call);
    }
    return promise.finally(() => {
      this.#calls.delete(call);
      signal?.removeEventListener("abort", abort);
    });
  }

  #answer(id: number, answer: unknown): void {
    const call = this.#calls.get(id);
    if (call?.kind === "answer") call.resolve(answer as never);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "load-progress":
        this.#onLoadProgress?.(message.fraction);
        return;
      case "loaded":
        this.#resident = message.resident;
        this.#load.resolve(message.facts);
        return;
      case "counts":
        this.#answer(message.call, message.counts);
        return;
      case "done":
        this.#answer(message.call, undefined);
        return;
      case "vectors":
        this.#answer(message.call, message.vectors);
        return;
      case "scores":
        this.#answer(message.call, message.scores);
        return;
      case "part": {
        const call = this.#calls.get(message.call);
        if (call?.kind !== "generate") return;
        call.queue.push(message.part);
        if (message.part.type === "finish") this.#close(message.call, call);
        return;
      }
      case "failed":
        this.#fail(message.call, revive(message.error));
        return;
      case "log":
        this.#log(message);
        return;
      case "alive":
        this.#resident = message.resident ?? this.#resident;
        return;
    }
  }

  /** llama.cpp warns about much that is as planned, such as a context shorter than the trained one. */
  #log({ level, message }: Extract<FromWorker, { type: "log" }>): void {
    const fields = { model: this.#id, line: message.slice(0, 500) };
    if (level === "error") this.#logger.warn("llama-cpp-error", fields);
    else this.#logger.info("llama-cpp-warning", fields);
  }

  #fail(id: number | null, error: CorralError): void {
    if (id === null) {
      this.#load.reject(error);
      return;
    }
    const call = this.#calls.get(id);
    if (call?.kind === "answer") call.reject(error);
    else if (call?.kind === "generate") {
      call.queue.fail(error);
      this.#calls.delete(id);
    }
  }

  #close(id: number, call: Extract<Call, { kind: "generate" }>): void {
    call.queue.close();
    this.#calls.delete(id);
  }

  #crashed(): CorralError<"ENGINE_CRASHED"> {
    const message = `The engine running ${this.#id} stopped while it was needed: ${this.#gone?.reason}. It starts again with the next question.`;
    return new CorralError("ENGINE_CRASHED", message, { model: this.#id });
  }
}

const nothingGenerated = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, prefillMs: 0, decodeMs: 0 };

function revive(report: ErrorReport): CorralError {
  return new CorralError<ErrorCode>(report.code, report.message, report.data as never);
}

/** Linux ends the process that takes the most when memory runs out; GPU libraries abort and say why. */
const shortOfMemory = /ended by SIGKILL|out of memory|failed to allocate|insufficient memory/i;

function loadFailed(model: string, reason: string): CorralError {
  // A heap of JavaScript that is full is a hostile file's doing: there is memory.
  if (shortOfMemory.test(reason) && !reason.includes("JavaScript heap")) {
    const message = `${model} could not be loaded, most likely for lack of memory: ${reason}. Close other programs, or choose a smaller context or a smaller model.`;
    return new CorralError("INSUFFICIENT_MEMORY", message, { devices: [] });
  }
  const message = `${model} could not be loaded: ${reason}. Try a smaller context or another model; the log has the details.`;
  return new CorralError("MODEL_LOAD_FAILED", message, { model, reason });
}

function cancelled(): CorralError<"CANCELLED"> {
  return new CorralError("CANCELLED", "Stopped on request.", {});
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}
