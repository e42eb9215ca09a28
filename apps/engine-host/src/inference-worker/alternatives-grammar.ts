import { CorralError } from "@corral/protocol";

/** GBNF escapes; other control characters become \xNN. */
const escapes: Record<string, string> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * A GBNF grammar that accepts exactly these strings.
 * @throws CorralError INVALID_INPUT when there is none, or one holds a NUL, which no grammar can express
 */
export function alternativesGrammar(alternatives: readonly string[]): string {
  const problem = (reason: string) => new CorralError("INVALID_INPUT", `${reason}.`, { field: "alternatives", reason });
  if (alternatives.length === 0) throw problem("There must be at least one alternative to choose from");
  if (alternatives.some((text) => text.includes("\0")))
    throw problem("An alternative must not contain a NUL character");
  return `root ::= ${[...new Set(alternatives)].map(literal).join(" | ")}`;
}

function literal(text: string): string {
  // A lone surrogate has no UTF-8 form; it reads as U+FFFD, as everywhere else on the way to the model.
  const escaped = text.toWellFormed().replace(/[\\"\p{Cc}]/gu, (character) => {
    return escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}
