import { LlamaGrammar, LlamaGrammarEvaluationState } from "node-llama-cpp";
import { builtInTool } from "../engines/built-in-tools.ts";
import type { EngineTool, GenerateRequest } from "../engines/engine.ts";
import { jsonSchemaGrammar } from "../engines/json-schema-grammar.ts";
import {
  callGrammar,
  callOrJsonGrammar,
  checkTools,
  tagGrammar,
  type CallRules,
  type CallStart,
} from "../engines/tool-call-grammar.ts";
import { alternativesGrammar } from "./alternatives-grammar.ts";
import { offeredTools } from "./chat-prompt.ts";
import type { ServedModel } from "./load-model.ts";

/**
 * What a reply is:
 * text, that may turn into a call where there are tools; a call from its first token on; JSON of a schema, that may turn
 * out to be a call; or something else a grammar holds it to.
 */
export type ReplyKind = "text" | "call" | "json-or-call" | "fixed";

/** What a reply is held to, from its first token on or from where a call begins. */
export class ReplyGrammar {
  readonly kind: ReplyKind;
  readonly #served: ServedModel;
  readonly #rules: CallRules;
  #state: LlamaGrammarEvaluationState | undefined;

  /** @throws CorralError INVALID_INPUT */
  constructor(served: ServedModel, request: GenerateRequest) {
    this.#served = served;
    const offered = offeredTools(request);
    checkTools(offered, request.toolChoice, "tools");
    const { toolChoice, jsonSchema } = request;
    const chosen = typeof toolChoice === "object" ? offered.filter(({ name }) => name === toolChoice.name) : offered;
    const isParallel = request.parallelToolCalls !== false;
    this.#rules = { tools: chosen, isParallel, pythonTag: served.format.pythonTag };
    const grammar = this.#first(request);
    if (grammar !== null) this.#begin(grammar);
    const isForced = toolChoice === "required" || typeof toolChoice === "object";
    if (chosen.length === 0) this.kind = grammar === null ? "text" : "fixed";
    else if (isForced) this.kind = "call";
    else this.kind = jsonSchema === undefined ? "text" : "json-or-call";
  }

  /** Of the grammar in force; absent: the model writes what it likes. */
  get state(): LlamaGrammarEvaluationState | undefined {
    return this.#state;
  }

  /** Tools that may be called. */
  get tools(): readonly EngineTool[] {
    return this.#rules.tools;
  }

  /** The tools with a form of call of their own, by what their argument is called. */
  get builtIns(): Map<string, string> {
    const builtIns = this.#rules.pythonTag === null ? [] : this.tools.flatMap((tool) => builtInTool(tool) ?? []);
    return new Map(builtIns.map(({ name, argument }) => [name, argument]));
  }

  /** A call has begun in the text: from here on only what completes it may follow. @returns false: it may not begin so */
  beginCall(start: CallStart): boolean {
    const grammar = callGrammar(this.#rules, start);
    if (grammar !== null) this.#begin(grammar);
    return grammar !== null;
  }

  /** The token that begins a built-in call was written. Code is any text: where it may stand no grammar holds. */
  beginTaggedCall(): void {
    if (!this.builtIns.has("code_interpreter")) this.#begin(tagGrammar(this.#rules));
  }

  #first({ alternatives, jsonSchema, toolChoice }: GenerateRequest): string | null {
    if (alternatives) return alternativesGrammar(alternatives);
    const hasTools = this.#rules.tools.length > 0;
    const isForced = toolChoice === "required" || typeof toolChoice === "object";
    if (hasTools && isForced) return callGrammar(this.#rules);
    if (jsonSchema === undefined) return null;
    return hasTools ? callOrJsonGrammar(this.#rules, jsonSchema) : jsonSchemaGrammar(jsonSchema, "jsonSchema");
  }

  #begin(text: string): void {
    const { llama, model } = this.#served;
    // `llama.createGrammar` does the same and is async without need: here the next token must not be chosen before it.
    const grammar = new LlamaGrammar(llama, { grammar: text });
    this.#state = new LlamaGrammarEvaluationState({ model, grammar });
  }
}
