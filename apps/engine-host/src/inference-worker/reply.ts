import type { Token } from "node-llama-cpp";
import type { EnginePart, GenerateRequest, TokenLogprob } from "../engines/engine.ts";
import { readWholeCallStart } from "../engines/tool-call-grammar.ts";
import { JsonCallReader, TaggedCallReader, type CallReader } from "./call-reader.ts";
import { CallWatch } from "./call-watch.ts";
import type { ChatPrompt } from "./chat-prompt.ts";
import { DeltaBuffer } from "./delta-buffer.ts";
import type { ServedModel } from "./load-model.ts";
import { ReplyGrammar } from "./reply-grammar.ts";
import { StopTexts } from "./stop-texts.ts";
import { logprobOf } from "./token-logprobs.ts";
import { TokenText } from "./token-text.ts";

/** Why a reply ended, as `finish` tells it. */
export type FinishReason = Extract<EnginePart, { type: "finish" }>["reason"];

/**
 * Puts a reply together from its tokens: text to emit, calls, and where it ends. Text goes through three sieves: bytes to
 * characters, the watch for calls, the stop texts.
 */
export class Reply {
  /** Tokens of the reply so far; what ended it is not among them. */
  readonly tokens: Token[] = [];
  /** What the next token is held to. */
  readonly grammar: ReplyGrammar;
  readonly #served: ServedModel;
  readonly #request: GenerateRequest;
  readonly #prompt: ChatPrompt;
  readonly #text: TokenText;
  readonly #watch: CallWatch | null;
  readonly #stops: StopTexts;
  readonly #deltas: DeltaBuffer;
  readonly #emit: (part: EnginePart) => void;
  /** What a reply that is held to something has written, to tell whether it is whole. */
  #all = "";
  #calls: CallReader | null = null;
  #callCount = 0;
  /** Of what may be JSON or a call: it is JSON. */
  #isJson = false;
  /** Log probabilities of tokens whose text is not all out yet, by where in the text it ends. */
  #logprobs: { end: number; logprob: TokenLogprob }[] = [];
  #readLength = 0;
  #releasedLength = 0;

  /** @throws CorralError INVALID_INPUT */
  constructor(served: ServedModel, request: GenerateRequest, prompt: ChatPrompt, emit: (part: EnginePart) => void) {
    this.#served = served;
    this.#request = request;
    this.#prompt = prompt;
    this.#emit = emit;
    this.grammar = new ReplyGrammar(served, request);
    const { kind, tools } = this.grammar;
    this.#text = new TokenText(served.model);
    this.#watch = kind === "text" && tools.length > 0 ? new CallWatch((start) => this.grammar.beginCall(start)) : null;
    // What a document says must not end a reply that quotes it word for word.
    this.#stops = new StopTexts([...(kind === "text" ? prompt.stopTexts : []), ...(request.stop ?? [])]);
    this.#deltas = new DeltaBuffer((text, count, logprobs) => {
      emit({ type: "text-delta", text, tokens: count, ...(logprobs.length > 0 ? { logprobs } : {}) });
    });
  }

  /** The token that begins a built-in call, where one may be made. */
  get pythonTag(): Token | null {
    return this.grammar.tools.length > 0 ? this.#served.format.pythonTag : null;
  }

  /** Which of the request's stop texts ended the reply; null: none. */
  get stopText(): string | null {
    const { found } = this.#stops;
    return found !== null && this.#request.stop?.includes(found) === true ? found : null;
  }

  /**
   * Adds the next token.
   * @param probabilities of the tokens that could be drawn, likeliest first, where log probabilities are asked for
   * @returns why the reply is over with it, null while it goes on
   */
  push(token: Token, probabilities?: ReadonlyMap<Token, number>): FinishReason | null {
    if (this.#served.model.isEogToken(token) || this.#prompt.stopTokens.has(token)) {
      this.#emitCalls(this.#calls?.end() ?? []);
      return this.#callCount > 0 ? "tool-calls" : "stop";
    }
    this.tokens.push(token);
    const isFull = this.tokens.length >= this.#request.maxTokens;
    if (token === this.pythonTag && this.#calls === null) this.#beginTagged();
    else {
      const end = this.#read(token, probabilities);
      if (end !== null) return end;
    }
    return isFull ? "length" : null;
  }

  /**
   * Writes the rest of a reply that is one of the alternatives once only one begins with what is written: that needs no model.
   * @returns how many tokens the rest has; null while there is a choice
   */
  complete(): number | null {
    const { alternatives, maxTokens, logprobs, stop = [] } = this.#request;
    if (!alternatives || this.grammar.kind !== "fixed" || logprobs !== undefined || stop.length > 0) return null;
    if (this.#text.isInsideCharacter) return null;
    const possible = alternatives.map((text) => text.toWellFormed()).filter((text) => text.startsWith(this.#all));
    const [only, ...others] = new Set(possible);
    if (only === undefined || others.length > 0) return null;
    const rest = only.slice(this.#all.length);
    const tokens = this.#served.model.tokenize(rest);
    if (this.tokens.length + tokens.length > maxTokens) return null;
    this.tokens.push(...tokens);
    this.#all = only;
    this.#release(rest, tokens.length);
    return tokens.length;
  }

  /** Emits what was held back. @returns the reason that holds in the end */
  end(reason: FinishReason): FinishReason {
    if (this.#calls === null) {
      this.#release(this.#stops.push(this.#watch?.end() ?? ""), 0);
      if (this.grammar.kind === "json-or-call" && !this.#isJson) this.#release(this.#stops.push(this.#all), 0);
      if (this.#stops.found === null) this.#release(this.#stops.end(), 0);
    }
    this.#deltas[Symbol.dispose]();
    return reason === "length" && this.#isWhole() ? "stop" : reason;
  }

  /** Gives up what is held back, after a failure. */
  abandon(): void {
    this.#deltas[Symbol.dispose]();
  }

  #read(token: Token, probabilities: ReadonlyMap<Token, number> | undefined): FinishReason | null {
    const added = this.#text.push(token);
    if (this.#calls) return this.#readCall(added);
    if (this.grammar.kind === "call") {
      this.#calls = new JsonCallReader();
      return this.#readCall(added);
    }
    this.#readLength += added.length;
    if (this.#request.logprobs !== undefined && probabilities) {
      const options = { temperature: this.#request.temperature, count: this.#request.logprobs };
      const logprob = logprobOf(this.#served.model, token, probabilities, options);
      this.#logprobs.push({ end: this.#readLength, logprob });
    }
    if (this.grammar.kind === "json-or-call") return this.#readJsonOrCall(added);
    if (this.grammar.kind === "fixed") this.#all += added;
    const watched = this.#watch?.push(added) ?? { text: added, call: null };
    this.#release(this.#stops.push(watched.text), 1);
    if (this.#stops.found !== null) return "stop";
    if (watched.call === null) return null;
    this.#release(this.#stops.end(), 0);
    this.#calls = new JsonCallReader();
    return this.#readCall(watched.call.written);
  }

  /** Held back until it is clear which of the two it is. */
  #readJsonOrCall(added: string): FinishReason | null {
    this.#all += added;
    const verdict = this.#isJson ? "no" : readWholeCallStart(this.#all, this.grammar.tools);
    if (verdict === "maybe") return null;
    if (verdict === "yes") {
      this.#calls = new JsonCallReader();
      return this.#readCall(this.#all);
    }
    const text = this.#isJson ? added : this.#all;
    this.#isJson = true;
    this.#release(this.#stops.push(text), 1);
    return this.#stops.found === null ? null : "stop";
  }

  #beginTagged(): void {
    this.#release(this.#stops.push(this.#watch?.end() ?? ""), 0);
    this.#release(this.#stops.end(), 0);
    const { builtIns, tools } = this.grammar;
    const others = tools.map(({ name }) => name).filter((name) => !builtIns.has(name));
    this.#calls = new TaggedCallReader(builtIns, others);
    // Where the grammar asked for the token it goes on by itself.
    if (this.grammar.state === undefined) this.grammar.beginTaggedCall();
  }

  #readCall(text: string): FinishReason | null {
    this.#emitCalls(this.#calls?.push(text) ?? []);
    return this.#calls?.isComplete === true ? "tool-calls" : null;
  }

  #emitCalls(calls: ReturnType<CallReader["end"]>): void {
    for (const call of calls) {
      // What was written before it comes before it.
      this.#deltas.flush();
      this.#callCount++;
      this.#emit({ type: "tool-call", call });
    }
  }

  #release(text: string, tokens: number): void {
    this.#releasedLength += text.length;
    const certain = this.#logprobs.filter(({ end }) => end <= this.#releasedLength);
    this.#logprobs = this.#logprobs.slice(certain.length);
    this.#deltas.add(
      text,
      tokens,
      certain.map(({ logprob }) => logprob),
    );
  }

  /** A reply held to something that is all there, though no token said that it is. */
  #isWhole(): boolean {
    if (this.#request.alternatives) return this.#request.alternatives.includes(this.#all);
    if (this.#request.jsonSchema === undefined || this.#calls !== null) return false;
    // A number might go on.
    if (!/["}\]el]\s*$/.test(this.#all)) return false;
    try {
      JSON.parse(this.#all);
      return true;
    } catch {
      return false;
    }
  }
}
