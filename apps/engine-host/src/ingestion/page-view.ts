import type { Box, TextSpan } from "@corral/protocol";
import type { PageContent, PageLine } from "../store/store.ts";

/**
 * Where spans of text stand on a page picture: one box for each line they touch, cut to the characters in proportion to
 * the line's length. In points, origin top left.
 */
export function boxesOf(page: PageContent, spans: TextSpan[]): Box[] {
  const boxes: Box[] = [];
  for (const line of page.lines) {
    for (const range of joined(spans, page.page)) {
      const start = Math.max(range.start, line.start);
      const end = Math.min(range.end, line.end);
      if (start < end) boxes.push(cut(line, start, end));
    }
  }
  return boxes;
}

/** The spans on this page, in order, overlapping ones made one (so that no part of a line is marked twice). */
function joined(spans: TextSpan[], page: number): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { start, end } of spans.filter((span) => span.page === page).sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else ranges.push({ start, end });
  }
  return ranges;
}

function cut(line: PageLine, start: number, end: number): Box {
  const { x, y, width, height } = line;
  const length = line.end - line.start;
  // A line of upright text is wider than high; one that runs up or down the page is marked whole.
  if (length > 3 && height > width) return { x, y, width, height };
  return { x: x + (width * (start - line.start)) / length, y, width: (width * (end - start)) / length, height };
}
