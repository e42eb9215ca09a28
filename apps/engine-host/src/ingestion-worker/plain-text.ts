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
  const [first, ...rest] = paragraphsOf(source);
  if (first === undefined) return [];
  const title = titleLine(first, rest[0]);
  const paragraphs = title ? [...(title.rest === "" ? [] : [title.rest]), ...rest] : [first, ...rest];
  return [
    ...(title ? [{ kind: "heading" as const, level: 0, text: title.line }] : []),
    ...paragraphs.map((text) => ({ kind: "paragraph" as const, level: 0, text: unwrap(text.split("\n")) })),
  ];
}

/** A title is not longer than this. Characters. */
const longestTitle = 250;
/** What follows a title in the next line is a paragraph: at least so long, and so many times as long as the title. */
const shortestBody = 200;
const bodyOverTitle = 2;

/**
 * The line a text begins with, where it is its title: a line alone that is followed by a longer paragraph, after a blank
 * line or (then the paragraph must be much longer) at once.
 */
function titleLine(first: string, second: string | undefined): { line: string; rest: string } | null {
  const [line = "", ...lines] = first.split("\n");
  if (line.length > longestTitle || !/\p{L}/u.test(line) || /[,;:]$/.test(line)) return null;
  if (lines.length === 0) return second !== undefined && second.length > line.length ? { line, rest: "" } : null;
  const isBody = lines[0]!.length >= Math.max(shortestBody, bodyOverTitle * line.length);
  return isBody ? { line, rest: lines.join("\n") } : null;
}

function paragraphsOf(source: string): string[] {
  return cleanText(source)
    .split(/\n(?:[^\S\n]*\n)+/)
    .map((paragraph) => paragraph.replace(/^\n+|\s+$/g, ""))
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) =>
      paragraph
        .split("\n")
        .map((line) => line.trimEnd())
        .join("\n"),
    );
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
