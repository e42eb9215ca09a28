import type { Box } from "@corral/protocol";

/** A run of text on a PDF page as the parser gives it: box in points, origin top left. */
export interface TextItem extends Box {
  text: string;
  /** Points. */
  fontSize: number;
  bold: boolean;
  /** Degrees, clockwise. */
  rotation: number;
}

/** A line of a column, or a row of a table: its cells from left to right. */
export interface TextRow {
  cells: TextItem[];
  /** The extent of all cells in reading direction, for layout only (turned with rotated text). */
  box: Box;
}

/** A gap between two runs wider than this many font sizes separates columns or cells; words stand far closer. */
const cellGap = 1.5;
/** The narrowest gutter between columns. Points. */
const narrowestGutter = 8;
/** Fewer rows on a side are not a column of text. */
const fewestColumnRows = 3;

/**
 * The rows of a page in reading order. Columns of running text are read one after the other, tables row by row.
 * Rotated text follows the upright text, read in its own direction.
 */
export function readingOrder(items: TextItem[], page: { width: number; height: number }): TextRow[] {
  const turns = new Map<number, TextItem[]>();
  for (const item of items) {
    const turn = ((Math.round(item.rotation / 90) % 4) + 4) % 4;
    const turned = turns.get(turn);
    if (turned) turned.push(item);
    else turns.set(turn, [item]);
  }
  // The direction with the most text first: a page that was turned as a whole reads as any other.
  const ordered = [...turns].sort((a, b) => characters(b[1]) - characters(a[1]));
  return ordered.flatMap(([turn, turned]) => {
    const placed = turned.map((item) => ({ item, box: turnUpright(item, turn, page) }));
    return orderColumns(placed, 0).map((row) => toTextRow(row));
  });
}

interface Placed {
  item: TextItem;
  box: Box;
}

const right = (box: Box) => box.x + box.width;
const middle = (box: Box) => box.y + box.height / 2;

function characters(items: TextItem[]): number {
  return items.reduce((sum, item) => sum + item.text.length, 0);
}

/** Where an item would stand if its text were turned to run from left to right. */
function turnUpright(item: Box, turn: number, page: { width: number; height: number }): Box {
  const { x, y, width, height } = item;
  if (turn === 1) return { x: y, y: page.width - x - width, width: height, height: width };
  if (turn === 2) return { x: page.width - x - width, y: page.height - y - height, width, height };
  if (turn === 3) return { x: page.height - y - height, y: x, width: height, height: width };
  return { x, y, width, height };
}

/** Groups items into rows: an item belongs to the row whose height it shares for the larger part. */
function toRows(items: Placed[]): Placed[][] {
  const rows: { top: number; bottom: number; items: Placed[] }[] = [];
  for (const placed of items.toSorted((a, b) => middle(a.box) - middle(b.box) || a.box.x - b.box.x)) {
    const { y, height } = placed.box;
    const row = rows.at(-1);
    const shared = row ? Math.min(row.bottom, y + height) - Math.max(row.top, y) : 0;
    if (row && shared >= 0.5 * Math.min(height, row.bottom - row.top)) row.items.push(placed);
    else rows.push({ top: y, bottom: y + height, items: [placed] });
  }
  return rows.map((row) => row.items.sort((a, b) => a.box.x - b.box.x));
}

/** Splits what stands side by side as columns of running text; `depth` bounds the number of columns. */
function orderColumns(items: Placed[], depth: number): Placed[][] {
  const rows = toRows(items);
  const gutter = depth > 4 ? null : findGutter(rows);
  if (gutter === null) return rows;
  const ordered: Placed[][] = [];
  let beside: Placed[][] = [];
  const closeBand = () => {
    const left = beside.flat().filter((placed) => right(placed.box) <= gutter);
    const rest = beside.flat().filter((placed) => right(placed.box) > gutter);
    if (isColumn(left) && isColumn(rest)) {
      ordered.push(...orderColumns(left, depth + 1), ...orderColumns(rest, depth + 1));
    } else ordered.push(...beside);
    beside = [];
  };
  for (const row of rows) {
    if (row.some((placed) => placed.box.x < gutter && right(placed.box) > gutter)) {
      closeBand();
      ordered.push(row);
    } else beside.push(row);
  }
  closeBand();
  return ordered;
}

/** The middle of the widest upright strip that the fewest rows cross, away from the page's edges; null if there is none. */
function findGutter(rows: Placed[][]): number | null {
  const boxes = rows.flat().map((placed) => placed.box);
  if (rows.length < fewestColumnRows || boxes.length <= rows.length) return null;
  const from = boxes.reduce((least, box) => Math.min(least, box.x), Infinity);
  const to = boxes.reduce((most, box) => Math.max(most, right(box)), -Infinity);
  const step = Math.max(2, (to - from) / 1000);
  const crossings = new Uint32Array(Math.max(1, Math.ceil((to - from) / step)));
  for (const row of rows) {
    let filled = -1;
    for (const { box } of row) {
      const first = Math.max(filled + 1, Math.floor((box.x - from) / step));
      const last = Math.min(crossings.length - 1, Math.floor((right(box) - from) / step));
      for (let bin = first; bin <= last; bin++) crossings[bin]!++;
      filled = Math.max(filled, last);
    }
  }
  const begin = Math.floor(crossings.length * 0.15);
  const end = Math.ceil(crossings.length * 0.85);
  const least = crossings.subarray(begin, end).reduce((min, count) => Math.min(min, count), Infinity);
  let best = { start: 0, length: 0 };
  for (let bin = begin, start = begin; bin <= end; bin++) {
    if (bin < end && crossings[bin] === least) continue;
    if (bin - start > best.length) best = { start, length: bin - start };
    start = bin + 1;
  }
  return best.length * step >= narrowestGutter ? from + (best.start + best.length / 2) * step : null;
}

/** Running text fills its column with long lines; the cells of a table are short. */
function isColumn(items: Placed[]): boolean {
  const rows = toRows(items);
  if (rows.length < fewestColumnRows) return false;
  const left = items.reduce((least, { box }) => Math.min(least, box.x), Infinity);
  const width = items.reduce((most, { box }) => Math.max(most, right(box)), -Infinity) - left;
  const long = rows.filter((row) => {
    const extent = right(row.at(-1)!.box) - row[0]!.box.x;
    return characters(row.map((placed) => placed.item)) >= 15 && extent >= width * 0.5;
  });
  return long.length >= rows.length / 2;
}

/** A list marker: a bullet, or a short number or letter with a dot or bracket. */
const marker = /^(?:[•▪◦‣●○■□–—*·-]|\(?(?:\d{1,3}(?:\.\d{1,3}){0,4}|[\p{L}])[.)]?)$/u;

/** Joins the runs of a row that belong to one line of words; runs further apart become cells of their own. */
function toTextRow(row: Placed[]): TextRow {
  const cells: Placed[] = [];
  for (const next of row) {
    const last = cells.at(-1);
    const gap = last ? next.box.x - right(last.box) : 0;
    const em = Math.max(last?.item.fontSize ?? 0, next.item.fontSize, 1);
    if (!last || (gap > cellGap * em && !(cells.length === 1 && marker.test(last.item.text.trim())))) {
      cells.push({ item: { ...next.item }, box: next.box });
      continue;
    }
    const spaced = /\s$/.test(last.item.text) || /^\s/.test(next.item.text) || gap > 0.15 * em;
    const text = last.item.text.trimEnd() + (spaced ? " " : "") + next.item.text.trimStart();
    const longer = last.item.text.length >= next.item.text.length ? last.item : next.item;
    const { fontSize } = longer;
    last.item = {
      ...last.item,
      ...union(last.item, next.item),
      text,
      fontSize,
      bold: last.item.bold && next.item.bold,
    };
    last.box = union(last.box, next.box);
  }
  return { cells: cells.map((cell) => cell.item), box: cells.map((cell) => cell.box).reduce(union) };
}

function union(a: Box, b: Box): Box {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return { x, y, width: Math.max(right(a), right(b)) - x, height: Math.max(a.y + a.height, b.y + b.height) - y };
}
