/**
 * Rewrites the ways models write maths into the one remark-math reads: `\(x\)` and `$x$` become `$x$`, `\[x\]` and `$$x$$`
 * become a fenced `$$` block where they stand alone on their lines. A dollar sign that cannot be maths by pandoc's rule (no space
 * after the opening one; no space before and no digit after the closing one) is escaped, so that prices stay prices.
 * Code is left alone. One pass: a closing mark that was not found once is not looked for again.
 *
 * @param streaming An unfinished display formula at the end is held back, as half a formula is an error to KaTeX.
 */
export function prepareMaths(text: string, streaming: boolean): string {
  const missing = new Set<string>();
  const find = (mark: string, from: number): number => {
    if (missing.has(mark)) return -1;
    const at = text.indexOf(mark, from);
    if (at === -1) missing.add(mark);
    return at;
  };

  let out = "";
  let at = 0;
  while (at < text.length) {
    const next = nextMark(text, at);
    out += text.slice(at, next);
    at = next;
    if (at >= text.length) break;

    const character = text[at]!;
    if (character === "`" || character === "~") {
      const run = runLength(text, at);
      const mark = character.repeat(run);
      const fenced = run >= 3 && opensBlock(lineBefore(text, at));
      const end = fenced ? fenceEnd(text, at, mark) : character === "`" ? codeEnd(text, at + run, mark, find) : -1;
      const until = end === -1 ? at + run : end;
      out += text.slice(at, until);
      at = until;
    } else if (character === "\\") {
      const mark = text[at + 1];
      const closing = mark === "[" ? "\\]" : mark === "(" ? "\\)" : null;
      const end = closing === null ? -1 : find(closing, at + 2);
      if (closing === null || end === -1) {
        if (streaming && mark === "[") return out;
        out += text.slice(at, at + 2);
        at += 2;
        continue;
      }
      const body = text.slice(at + 2, end);
      // "\[2\]" is a citation a model escaped.
      if (/^\d{1,3}(?:,\s*\d{1,3})*$/.test(body)) out += `[${body}]`;
      else if (body.includes("$")) out += text.slice(at, end + 2);
      else out += mark === "[" ? display(text, at, end + 2, body) : inline(body);
      at = end + 2;
    } else if (text.startsWith("$$", at)) {
      const end = find("$$", at + 2);
      if (end === -1) {
        if (streaming) return out;
        out += "\\$\\$";
        at += 2;
        continue;
      }
      out += display(text, at, end + 2, text.slice(at + 2, end));
      at = end + 2;
    } else {
      const end = dollarEnd(text, at, find);
      out += end === -1 ? "\\$" : text.slice(at, end + 1);
      at = end === -1 ? at + 1 : end + 1;
    }
  }
  return out;
}

function nextMark(text: string, from: number): number {
  const pattern = /[`~$\\]/g;
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function runLength(text: string, at: number): number {
  let end = at;
  while (text[end] === text[at]) end++;
  return end - at;
}

/** How far to either side a line is looked at: far enough for indentation and list marks, near enough to stay linear. */
const lineWindow = 200;

/** The line up to `at`; null when it is too long to be only indentation and list marks. */
function lineBefore(text: string, at: number): string | null {
  const start = Math.max(0, at - lineWindow);
  const window = text.slice(start, at);
  const newline = window.lastIndexOf("\n");
  return newline === -1 && start > 0 ? null : window.slice(newline + 1);
}

/** The line from `at`; null when it is too long to be only closing punctuation. */
function lineAfter(text: string, at: number): string | null {
  const window = text.slice(at, at + lineWindow);
  const newline = window.indexOf("\n");
  if (newline !== -1) return window.slice(0, newline);
  return at + lineWindow < text.length ? null : window;
}

/** Whether a block may start after this: indentation, quote and list marks only. */
function opensBlock(before: string | null): before is string {
  return before !== null && /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*$/.test(before);
}

/** Just past the line that closes a code fence, or the end of the text. */
function fenceEnd(text: string, at: number, mark: string): number {
  let line = text.indexOf("\n", at);
  while (line !== -1) {
    const end = text.indexOf("\n", line + 1);
    const content = text
      .slice(line + 1, end === -1 ? text.length : end)
      .replace(/^[\s>]*/, "")
      .trimEnd();
    if (content.length >= mark.length && content === mark[0]!.repeat(content.length))
      return end === -1 ? text.length : end;
    line = end;
  }
  return text.length;
}

/** Just past the run of backticks that closes a code span. */
function codeEnd(text: string, from: number, mark: string, find: (mark: string, from: number) => number): number {
  let end = find(mark, from);
  while (end !== -1) {
    const run = runLength(text, end);
    if (run === mark.length) return end + run;
    end = find(mark, end + run);
  }
  return -1;
}

/** The dollar that closes inline maths opened at `at`, within the paragraph; -1 when it is a price. */
function dollarEnd(text: string, at: number, find: (mark: string, from: number) => number): number {
  if (/\s|^$/.test(text[at + 1] ?? "")) return -1;
  const end = find("$", at + 1);
  if (end === -1 || end === at + 1) return -1;
  const body = text.slice(at + 1, end);
  if (/\n\s*\n|`/.test(body) || /[\s\\]$/.test(body) || /\d/.test(text[end + 1] ?? "")) return -1;
  return end;
}

function inline(body: string): string {
  return `$${body.trim()}$`;
}

/** Display maths from `start` to `end`: a block where it has its lines to itself, else within the line. */
function display(text: string, start: number, end: number, body: string): string {
  if (body.trim() === "") return text.slice(start, end).replaceAll("$", "\\$");
  const before = lineBefore(text, start);
  const after = lineAfter(text, end);
  if (opensBlock(before) && after !== null && /^[\s.,;]*$/.test(after)) {
    const indent = before.replace(/[^\s>]/g, " ");
    return `$$\n${indent}${body.trim()}\n${indent}$$`;
  }
  return `$\\displaystyle ${body.trim().replace(/\s*\n\s*/g, " ")}$`;
}
