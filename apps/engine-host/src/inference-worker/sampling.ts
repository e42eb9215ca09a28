import { randomInt } from "node:crypto";
import { LlamaGrammarEvaluationState, type SequenceEvaluateOptions, type Token } from "node-llama-cpp";
import type { GenerateRequest } from "../engines/engine.ts";
import { alternativesGrammar } from "./alternatives-grammar.ts";
import type { ServedModel } from "./load-model.ts";

/** llama.cpp's usual window of the repetition penalty, tokens. */
const penaltyWindow = 64;

/**
 * How the next token is chosen for this request.
 * @param written the reply's tokens so far; read before each token
 */
export async function samplingOf(
  served: ServedModel,
  request: GenerateRequest,
  written: readonly Token[],
): Promise<SequenceEvaluateOptions> {
  const { temperature, topP, topK, minP, repeatPenalty, seed, alternatives } = request;
  const options: SequenceEvaluateOptions = {
    temperature,
    topP,
    topK,
    minP,
    // node-llama-cpp's own default is the clock in seconds: two replies in one second would be the same.
    seed: seed ?? randomInt(2 ** 32),
    yieldEogToken: true,
  };
  if (alternatives) {
    const grammar = await served.llama.createGrammar({ grammar: alternativesGrammar(alternatives) });
    options.grammarEvaluationState = new LlamaGrammarEvaluationState({ model: served.model, grammar });
  }
  if (repeatPenalty !== 1) {
    const punishTokens = () => written.slice(-penaltyWindow);
    options.repeatPenalty = { penalty: repeatPenalty, maxPunishTokens: penaltyWindow, punishTokens };
  }
  return options;
}
