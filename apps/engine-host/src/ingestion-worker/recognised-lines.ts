import type { TextItem } from "./pdf-lines.ts";

/** Letters differ in height with the word they stand in; within this share of the running text they are of its size. */
const sameSize = 0.28;
/** Cap height to descender, as recognition boxes words, to the size of the type. */
const sizePerHeight = 1.05;

/**
 * Recognised words come with boxes that fit each word tightly: "on" is half as high as "light". Gives all words of a line
 * the line's top, height and type size, so that they are laid out and marked as a line.
 */
export function straighten(items: TextItem[]): TextItem[] {
  const lines = toLines(items);
  const sized = lines.map((words) => ({ words, height: heightOf(words) }));
  const body = median(
    sized.flatMap(({ words, height }) => words.flatMap(({ text }) => Array<number>(text.length).fill(height))),
  );
  return sized.flatMap(({ words, height }) => {
    const size = Math.abs(height / body - 1) <= sameSize ? body : height;
    const y = Math.min(...words.map((word) => word.y));
    const bottom = Math.max(...words.map((word) => word.y + word.height));
    return words.map((word) => ({ ...word, y, height: bottom - y, fontSize: size * sizePerHeight, bold: false }));
  });
}

/** Words whose heights overlap for the larger part of the lower one, and that stand beside each other. */
function toLines(items: TextItem[]): TextItem[][] {
  const lines: { top: number; bottom: number; right: number; words: TextItem[] }[] = [];
  for (const item of items.toSorted((a, b) => a.x - b.x)) {
    const bottom = item.y + item.height;
    let best: { line: (typeof lines)[number]; shared: number } | null = null;
    for (const line of lines) {
      const shared = Math.min(line.bottom, bottom) - Math.max(line.top, item.y);
      const lower = Math.min(item.height, line.bottom - line.top);
      const apart = item.x - line.right > 4 * Math.max(item.height, line.bottom - line.top);
      if (!apart && shared >= 0.5 * lower && shared > (best?.shared ?? 0)) best = { line, shared };
    }
    if (best) {
      const { line } = best;
      line.words.push(item);
      line.right = Math.max(line.right, item.x + item.width);
      // A tall speck ("|", a stamp) does not make the line taller.
      if (item.text.length > 1) {
        line.top = Math.min(line.top, item.y);
        line.bottom = Math.max(line.bottom, bottom);
      }
    } else lines.push({ top: item.y, bottom, right: item.x + item.width, words: [item] });
  }
  return lines.map((line) => line.words);
}

/** Of the highest word with more than one letter: it has ascenders or descenders most likely. */
function heightOf(words: TextItem[]): number {
  const real = words.filter((word) => word.text.length > 1);
  return Math.max(...(real.length > 0 ? real : words).map((word) => word.height));
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 1;
}
