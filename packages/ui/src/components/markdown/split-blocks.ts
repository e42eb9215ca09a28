const fenceStart = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}(?=[^`]*$)|~{3,})/;
const listItem = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
/** Link and footnote definitions reach across the whole text. */
const definition = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * Cuts Markdown into pieces that mean the same alone as together, so that while an answer streams only the last piece is
 * parsed again. Cuts only at a blank line before an unindented line, outside code fences, display maths and lists: where in
 * doubt it does not cut. A text with link or footnote definitions stays whole.
 */
export function splitBlocks(text: string): string[] {
  if (definition.test(text)) return [text];
  const blocks: string[] = [];
  let lines: string[] = [];
  let fence: string | null = null;
  let maths: string | null = null;
  let list = false;
  let blank = false;

  for (const line of text.split("\n")) {
    const settled = fence === null && maths === null;
    if (settled && blank && line.trim() !== "" && !/^[ \t]/.test(line) && !(list && listItem.test(line))) {
      blocks.push(lines.join("\n"));
      lines = [];
      list = false;
    }
    if (lines.length === 0) {
      // Blank lines before a block carry nothing.
      if (line.trim() === "") continue;
      list = listItem.test(line);
    }
    lines.push(line);
    blank = line.trim() === "";

    if (fence !== null) {
      const close = line.replace(/^[\s>]*/, "").trimEnd();
      if (close.length >= fence.length && close === fence[0]!.repeat(close.length)) fence = null;
    } else {
      const start = maths === null ? fenceStart.exec(line) : null;
      if (start) fence = start[1]!;
      else maths = mathsAfter(line, maths);
    }
  }
  if (lines.some((line) => line.trim() !== "")) blocks.push(lines.join("\n"));
  return blocks;
}

/** Which display maths is open after a line: "$$", "\[", or null. */
function mathsAfter(line: string, before: string | null): string | null {
  if (!line.includes("$$") && !line.includes("\\[") && !line.includes("\\]")) return before;
  let open = before;
  for (const [mark] of line.replace(/`[^`]*`/g, "").matchAll(/\$\$|\\[[\]]/g)) {
    if (open === null) open = mark === "\\]" ? null : mark;
    else if (mark === (open === "$$" ? "$$" : "\\]")) open = null;
  }
  return open;
}
