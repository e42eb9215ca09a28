import type { LlamaModel, Token, Tokenizer } from "node-llama-cpp";

/**
 * Tokens that divide a prompt though a vocabulary does not call them control tokens: llama.cpp reads such a "user-defined"
 * token out of any text (so it does with those of gpt-oss, and with Qwen's tags).
 */
const divider = /^<[|｜].+[|｜]>$|^<\/?(?:think|tool_\w+)>$/u;

const known = new WeakMap<LlamaModel, Tokenizer>();

/** The model's tokenizer, except that plain text never becomes a token that divides a prompt. */
export function plainTokenizer(model: LlamaModel): Tokenizer {
  const made = known.get(model);
  if (made) return made;
  const { tokenizer } = model;
  const pattern = dividersOf(model);
  const tokenize = (text: string, special?: boolean | "builtin", options?: "trimLeadingSpace"): Token[] => {
    if (pattern === null || (special ?? false) !== false || !pattern.test(text))
      return callTokenizer(tokenizer, text, special, options);
    // In two pieces it is the same text, and no such token.
    const pieces = text.split(pattern);
    return pieces.flatMap((piece, index) => tokenizer(piece, false, index === 0 ? options : "trimLeadingSpace"));
  };
  const { detokenize, isSpecialToken, isEogToken } = tokenizer;
  const plain = Object.assign(tokenize, { detokenize, isSpecialToken, isEogToken }) as Tokenizer;
  known.set(model, plain);
  return plain;
}

function callTokenizer(
  tokenizer: Tokenizer,
  text: string,
  special: boolean | "builtin" | undefined,
  options: "trimLeadingSpace" | undefined,
): Token[] {
  return special === "builtin" ? tokenizer(text as never, special) : tokenizer(text, special, options);
}

/** Finds the place behind the first character of each of them; null: the model has none. */
function dividersOf(model: LlamaModel): RegExp | null {
  const rests: string[] = [];
  for (const token of model.iterateAllTokens()) {
    if (!model.getTokenAttributes(token).userDefined) continue;
    const text = model.detokenize([token], true);
    if (divider.test(text)) rests.push(text.slice(1).replace(/[|/\\^$*+?.()[\]{}]/g, "\\$&"));
  }
  return rests.length === 0 ? null : new RegExp(`(?<=<)(?=${rests.join("|")})`, "u");
}
