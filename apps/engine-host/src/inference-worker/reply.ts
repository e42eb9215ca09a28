import type { Token } from "node-llama-cpp";
import type { EnginePart, GenerateRequest } from "../engines/engine.ts";
import type { ChatPrompt } from "./chat-prompt.ts";
import { DeltaBuffer } from "./delta-buffer.ts";
import type { ServedModel } from "./load-model.ts";
import { ReplyText } from "./reply-text.ts";

/** Why a reply ended, as `finish` tells it. */
export type FinishReason = Extract<EnginePart, { type: "finish" }>["reason"];

/** Puts a reply together from its tokens: text to emit, and where it ends. */
export class Reply {
  /** Tokens of the reply so far; what ended it is not among them. */
  readonly tokens: Token[] = [];
  readonly #served: ServedModel;
  readonly #request: GenerateRequest;
  readonly #prompt: ChatPrompt;
  readonly #text: ReplyText;
  readonly #deltas: DeltaBuffer;
  #all = "";

  constructor(served: ServedModel, request: GenerateRequest, prompt: ChatPrompt, emit: (part: EnginePart) => void) {
    this.#served = served;
    this.#request = request;
    this.#prompt = prompt;
    // What a document says must not end a reply that quotes it word for word.
    this.#text = new ReplyText(served.model, request.alternatives ? [] : prompt.stopTexts);
    this.#deltas = new DeltaBuffer((text, tokens) => emit({ type: "text-delta", text, tokens }));
  }

  /** Adds the next token. @returns why the reply is over with it, null while it goes on */
  push(token: Token): FinishReason | null {
    if (this.#served.model.isEogToken(token) || this.#prompt.stopTokens.has(token)) return "stop";
    this.tokens.push(token);
    const added = this.#text.push(token);
    this.#deltas.add(added);
    if (this.#request.alternatives) this.#all += added;
    if (this.#text.stopped) return "stop";
    return this.tokens.length >= this.#request.maxTokens ? "length" : null;
  }

  /** Emits what was held back. @returns the reason that holds in the end */
  end(reason: FinishReason): FinishReason {
    const rest = this.#text.end();
    this.#deltas.addText(rest);
    this.#deltas[Symbol.dispose]();
    return reason === "length" && this.#request.alternatives?.includes(this.#all + rest) ? "stop" : reason;
  }

  /** Gives up what is held back, after a failure. */
  abandon(): void {
    this.#deltas[Symbol.dispose]();
  }
}
