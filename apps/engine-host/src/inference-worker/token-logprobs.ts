import type { LlamaModel, Token } from "node-llama-cpp";
import type { TokenLogprob } from "../engines/engine.ts";
import { bytesOfToken } from "./token-bytes.ts";

/** What a probability of 0 counts as: JSON has no infinity, and clients of OpenAI know this number. */
const impossible = -9999;

/**
 * How likely a token was by the model itself, from the probabilities it was drawn by. Drawing at a temperature raises each
 * to the power of 1/T, which is undone here; tokens that topK, topP or minP had put out have no share.
 * @param probabilities of all tokens that could be drawn, likeliest first
 * @param count how many alternatives to report
 */
export function logprobOf(
  model: LlamaModel,
  token: Token,
  probabilities: ReadonlyMap<Token, number>,
  { temperature, count }: { temperature: number; count: number },
): TokenLogprob {
  const power = temperature > 0 ? temperature : 1;
  let total = 1;
  if (power !== 1) {
    total = 0;
    for (const probability of probabilities.values()) total += probability ** power;
  }
  const logprob = (probability: number | undefined) =>
    probability === undefined || probability <= 0
      ? impossible
      : Math.min(0, power * Math.log(probability) - Math.log(total));
  const told = (which: Token) => {
    const bytes = bytesOfToken(model, which);
    return { token: Buffer.from(bytes).toString("utf8"), bytes, logprob: logprob(probabilities.get(which)) };
  };
  const top: TokenLogprob["top"] = [];
  if (count > 0) {
    for (const [which, probability] of probabilities) {
      if (top.length >= count || probability <= 0) break;
      top.push(told(which));
    }
  }
  return { ...told(token), top };
}
