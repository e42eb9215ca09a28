import { CorralError, type ModelSummary } from "@corral/protocol";
import type { EngineMessage, EnginePart, GenerateRequest, LoadedModel } from "../../engines/engine.ts";
import type { ChatModels } from "../generate-reply.ts";

const shape = {
  architecture: "llama",
  parameters: 1,
  layers: 1,
  embeddingLength: 1,
  feedForwardLength: 1,
  heads: 1,
  keyValueHeads: 1,
  keyLength: 1,
  valueLength: 1,
  vocabularySize: 1,
  trainContextSize: 4096,
};

/** A call a script makes: the engine numbers them anew in each turn. */
export interface ScriptedCall {
  name: string;
  arguments: string;
}

/** Yields the reply to a request piece by piece: words and calls. Throwing is a crash of the engine. */
export type Script = (request: GenerateRequest, signal: AbortSignal) => AsyncIterable<string | ScriptedCall>;

/** Models with one model that says what a test wants and counts a token for each word. */
export class ScriptedModels implements ChatModels {
  readonly requests: GenerateRequest[] = [];
  readonly summary: ModelSummary;
  /** Leases that were not given back yet. */
  held = 0;
  /** What acquire does instead of giving the model. */
  failure: CorralError | null = null;
  readonly #script: Script;

  constructor(script: Script, given: Partial<ModelSummary> = {}) {
    this.#script = script;
    this.summary = {
      id: "scripted",
      name: "Scripted",
      file: "/nowhere.gguf",
      fileBytes: 1,
      ability: "chat",
      embedded: false,
      shape,
      tier: "FP8",
      quantization: "Q8_0",
      state: "ready",
      loadProgress: null,
      contextSize: 4096,
      lastError: null,
      ...given,
    };
  }

  async list(): Promise<ModelSummary[]> {
    return this.failure?.code === "NO_MODEL" ? [] : [this.summary];
  }

  async acquire(_id: string | null, { onWaiting }: { onWaiting?: (progress: number | null) => void }) {
    if (this.failure !== null) throw this.failure;
    if (this.summary.state !== "ready") onWaiting?.(0.5);
    this.held++;
    const model = this.#model();
    return {
      summary: this.summary,
      model,
      generate: (request: GenerateRequest, signal: AbortSignal) => model.generate(request, signal),
      noteSpeed: () => {},
      [Symbol.asyncDispose]: async () => {
        this.held--;
      },
    };
  }

  async forgetConversation(): Promise<void> {}

  async plan(): Promise<never> {
    throw new CorralError("MODEL_NOT_FOUND", "There is no plan for a scripted model.", { model: this.summary.id });
  }

  #model(): LoadedModel {
    return {
      facts: {
        contextSize: this.summary.contextSize ?? 4096,
        slots: [{ contextSize: this.summary.contextSize ?? 4096, count: 1 }],
        shape,
        chatFormat: "scripted",
        backend: "cpu",
        loadMs: 0,
        memory: [],
      },
      resident: null,
      ended: new Promise(() => {}),
      countTokens: async (texts) => texts.map(countWords),
      countPromptTokens: async (messages) => countPrompt(messages),
      generate: (request, signal) => this.#generate(request, signal),
      embed: () => Promise.reject(new Error("A scripted model does not embed.")),
      rank: () => Promise.reject(new Error("A scripted model does not rank.")),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async *#generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<EnginePart> {
    this.requests.push(request);
    const promptTokens = countPrompt(request.messages);
    yield { type: "prefill-progress", done: promptTokens, total: promptTokens };
    let completionTokens = 0;
    let calls = 0;
    for await (const piece of this.#script(request, signal)) {
      if (signal.aborted) break;
      completionTokens++;
      if (typeof piece === "string") yield { type: "text-delta", text: piece, tokens: 1 };
      else yield { type: "tool-call", call: { id: `call_${calls++}`, ...piece } };
    }
    const ended = calls > 0 ? "tool-calls" : "stop";
    const reason = signal.aborted ? "cancelled" : completionTokens >= request.maxTokens ? "length" : ended;
    const statistics = { promptTokens, cachedTokens: 0, completionTokens, prefillMs: 20, decodeMs: 100 };
    yield { type: "finish", reason, statistics };
  }
}

function countWords(text: string): number {
  return text.split(/\s+/u).filter((word) => word !== "").length;
}

/** Each message costs its words and three more. */
function countPrompt(messages: EngineMessage[]): number {
  return messages.reduce((sum, { text }) => sum + countWords(text) + 3, 0);
}
