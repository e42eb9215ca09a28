import { CorralError } from "@corral/protocol";
import { literal } from "../engines/gbnf.ts";

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
