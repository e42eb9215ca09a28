import type { LooseBlock } from "./block.ts";
import { cleanText } from "./text-encoding.ts";

/** Shorter lines are rather addresses, verses or lists than text wrapped by a program. Characters. */
const narrowestWrap = 50;
const widestWrap = 120;

/**
 * Cuts plain text into its paragraphs: runs of lines without a blank line between them. A paragraph that was wrapped at
 * a fixed width is joined to one line, so that its sentences are whole; other line breaks stay.
 */
export function parsePlainText(source: string): LooseBlock[] {
  return cleanText(source)
    .split(/\n(?:[^\S\n]*\n)+/)
    .map((paragraph) => paragraph.replace(/^\n+|\s+$/g, ""))
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => unwrap(paragraph.split("\n").map((line) => line.trimEnd())))
    .map((text) => ({ kind: "paragraph", level: 0, text }));
}

/** Joins lines of which nearly all end where the next word would not have fitted any more. */
function unwrap(lines: string[]): string {
  const width = Math.max(0, ...lines.slice(0, 10_000).map((line) => line.length));
  if (lines.length < 2 || lines.length > 10_000 || width < narrowestWrap || width > widestWrap) return lines.join("\n");
  const full = lines.slice(0, -1).filter((line, i) => {
    const nextWord = /^\s*(\S+)/.exec(lines[i + 1]!)?.[1] ?? "";
    const listed = /^\s*(?:[-*•]|\(?[\p{L}\d]{1,3}[.)])\s/u.test(lines[i + 1]!);
    return !listed && line.length + 1 + nextWord.length >= width;
  });
  if (full.length < (lines.length - 1) * 0.8) return lines.join("\n");
  return lines.map((line) => line.trim()).join(" ");
}
