import type { LooseBlock } from "./block.ts";
import { cleanText } from "./text-encoding.ts";

/** Cuts source code where an empty line stands before a line that begins at the left edge: between its definitions. */
export function parseSourceCode(source: string): LooseBlock[] {
  return cleanText(source)
    .split(/\n(?:[^\S\n]*\n)+(?=[^\s)\]}])/)
    .map((piece) => piece.replace(/^\n+|\s+$/g, ""))
    .filter((piece) => piece !== "")
    .map((text) => ({ kind: "code", level: 0, text }));
}
