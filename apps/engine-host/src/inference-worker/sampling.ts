import { randomInt } from "node:crypto";
import { CorralError } from "@corral/protocol";
import { TokenBias, type LlamaModel, type SequenceEvaluateOptions, type Token } from "node-llama-cpp";
import type { GenerateRequest } from "../engines/engine.ts";
import type { ServedModel } from "./load-model.ts";
import type { Reply } from "./reply.ts";

/** llama.cpp's usual window of the repetition penalty, tokens. */
const penaltyWindow = 64;
/** llama.cpp takes this seed for "choose one" (LLAMA_DEFAULT_SEED). */
const randomSeed = 0xffff_ffff;

/**
 * How the next token is chosen for this request. What depends on the reply so far (penalties, the grammar once a call has
 * begun) is read anew before each token.
 * @throws CorralError INVALID_INPUT
 */
export function samplingOf({ model }: ServedModel, request: GenerateRequest, reply: Reply): SequenceEvaluateOptions {
  const { temperature, topP, topK, minP } = request;
  const options: SequenceEvaluateOptions = {
    temperature,
    topP,
    topK,
    minP,
    seed: seedOf(request),
    yieldEogToken: true,
  };
  const { grammar } = reply;
  const mayConstrain = grammar.kind !== "text" || grammar.tools.length > 0;
  if (mayConstrain) {
    const { kind, state } = grammar;
    options.grammarEvaluationState = kind === "fixed" && state !== undefined ? state : () => grammar.state;
  }
  const bias = biasOf(model, request.logitBias ?? {});
  if (mayConstrain) {
    // A grammar compares spellings: it would take a control token for the text that spells it, and that text would be lost.
    const held = withoutControlTokens(model, request.logitBias ?? {}, grammar.kind === "call" ? reply.pythonTag : null);
    options.tokenBias = () => (grammar.state === undefined ? bias : held);
  } else if (request.logitBias) {
    options.tokenBias = bias;
  }
  const penalties = penaltiesOf(request, reply.tokens);
  if (penalties) options.repeatPenalty = penalties;
  return options;
}

/** node-llama-cpp's own default is the clock in seconds: two replies in one second would be the same. */
function seedOf({ seed }: GenerateRequest): number {
  const chosen = (seed ?? randomInt(2 ** 32)) >>> 0;
  return chosen === randomSeed ? 0 : chosen;
}

/**
 * Frequency and presence penalties as OpenAI defines them: taken off the logits of each token of the reply so far, the one
 * for each time it was written, the other once. They look at the whole reply; the repetition penalty alone at its end.
 */
function penaltiesOf(
  request: GenerateRequest,
  written: readonly Token[],
): SequenceEvaluateOptions["repeatPenalty"] | null {
  const { repeatPenalty, frequencyPenalty = 0, presencePenalty = 0, maxTokens } = request;
  if (repeatPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0) return null;
  const window = frequencyPenalty === 0 && presencePenalty === 0 ? penaltyWindow : Math.max(penaltyWindow, maxTokens);
  const punishTokens = () => written.slice(-window);
  return { penalty: repeatPenalty, frequencyPenalty, presencePenalty, maxPunishTokens: window, punishTokens };
}

function biasOf(model: LlamaModel, logitBias: Record<number, number>): TokenBias {
  const bias = TokenBias.for(model);
  const vocabulary = vocabularyOf(model);
  for (const [key, logit] of Object.entries(logitBias)) {
    const token = Number(key) as Token;
    const refuse = (reason: string) => {
      return new CorralError("INVALID_INPUT", `The bias of token ${key} cannot be kept: ${reason}.`, {
        field: `logitBias/${key}`,
        reason,
      });
    };
    if (!Number.isInteger(token) || token < 0 || token >= vocabulary.size) throw refuse("the model has no such token");
    if (model.isEogToken(token)) throw refuse("a token that ends the reply has none");
    bias.set([token], { logit });
  }
  return bias;
}

function withoutControlTokens(model: LlamaModel, logitBias: Record<number, number>, kept: Token | null): TokenBias {
  const bias = biasOf(model, logitBias);
  for (const token of vocabularyOf(model).control) if (token !== kept) bias.set([token], "never");
  return bias;
}

/** Per model, as looking at each token takes a while. */
const vocabularies = new WeakMap<LlamaModel, { size: number; control: Token[] }>();

function vocabularyOf(model: LlamaModel): { size: number; control: Token[] } {
  const known = vocabularies.get(model);
  if (known) return known;
  const vocabulary = { size: 0, control: [] as Token[] };
  for (const token of model.iterateAllTokens()) {
    vocabulary.size++;
    if (model.isSpecialToken(token) && !model.isEogToken(token)) vocabulary.control.push(token);
  }
  vocabularies.set(model, vocabulary);
  return vocabulary;
}
