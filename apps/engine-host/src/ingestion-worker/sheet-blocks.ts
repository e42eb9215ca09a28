import type { LooseBlock } from "./block.ts";
import { cleanText } from "./text-encoding.ts";
import { estimateTokens } from "./token-estimate.ts";

/** A row of a sheet that has something in it. */
export interface SheetRow {
  /** From 1. */
  row: number;
  /** Left to right. `column` counts from 0. */
  cells: { column: number; text: string }[];
}

/** Rows are shown in groups of about this many tokens, which makes each group a chunk. */
const groupTokens = 200;
/** More empty cells than this between two full ones are shown as one. */
const widestGap = 8;
/** A cell with more than this is prose rather than a heading of its column. Characters. */
const longestHeader = 80;

/**
 * Turns the rows of a sheet into blocks: the sheet's name as heading, below it groups of rows, each with its cell range
 * ("A2:F31") as heading and the header row of its table repeated. A row reads "a | b | c".
 */
export function* sheetBlocks(name: string | null, rows: Iterable<SheetRow>): Generator<LooseBlock> {
  const writer = new SheetWriter(name);
  for (const row of rows) yield* writer.write(row);
  yield* writer.end();
}

/** The same for rows that come piece by piece. */
export class SheetWriter {
  #header: SheetRow | null = null;
  #group: SheetRow[] = [];
  #tokens = 0;
  #lastRow = -1;
  #name: string | null;

  constructor(name: string | null) {
    this.#name = name;
  }

  /** Answers the blocks that are complete. */
  *write(row: SheetRow): Generator<LooseBlock> {
    if (row.cells.length === 0) return;
    const tokens = estimateTokens(rowText(row), null);
    // An empty row ends a table.
    const startsTable = row.row !== this.#lastRow + 1;
    if (startsTable || this.#tokens + tokens > groupTokens) yield* this.#close();
    if (startsTable) this.#header = looksLikeHeader(row) ? row : null;
    if (this.#group.length === 0) {
      this.#tokens = this.#header && this.#header !== row ? estimateTokens(rowText(this.#header), null) : 0;
    }
    this.#group.push(row);
    this.#tokens += tokens;
    this.#lastRow = row.row;
  }

  *end(): Generator<LooseBlock> {
    yield* this.#close();
  }

  *#close(): Generator<LooseBlock> {
    const [first] = this.#group;
    if (!first) return;
    if (this.#name !== null) yield { kind: "heading", level: 1, text: oneLine(this.#name), startsSection: true };
    this.#name = null;
    yield { kind: "heading", level: 2, text: rangeOf(this.#group) };
    const repeated = this.#header && this.#header !== first ? [this.#header] : [];
    for (const row of [...repeated, ...this.#group]) {
      yield { kind: "table-row", level: 0, row: row.row, ...writeRow(row) };
    }
    this.#group = [];
    this.#tokens = 0;
  }
}

function rowText(row: SheetRow): string {
  return writeRow(row).text;
}

/** A row as text, and where its cells stand in it. */
function writeRow({ cells }: SheetRow): { text: string; cells: NonNullable<LooseBlock["cells"]> } {
  let text = "";
  let next = cells[0]?.column ?? 0;
  const places: NonNullable<LooseBlock["cells"]> = [];
  for (const { column, text: content } of cells) {
    const gap = column - next;
    if (text !== "") text += " | ";
    if (gap > 0) text += "| ".repeat(gap > widestGap ? 1 : gap);
    const start = text.length;
    text += oneLine(content);
    places.push({ column, start, end: text.length });
    next = column + 1;
  }
  return { text, cells: places };
}

function oneLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ").trim();
}

/** At least two cells, all of them short words. */
function looksLikeHeader({ cells }: SheetRow): boolean {
  return cells.length > 1 && cells.every(({ text }) => text.length <= longestHeader && /\p{L}/u.test(text));
}

function rangeOf(rows: SheetRow[]): string {
  let left = Infinity;
  let right = 0;
  for (const { cells } of rows) {
    left = Math.min(left, cells[0]!.column);
    right = Math.max(right, cells.at(-1)!.column);
  }
  const from = `${columnName(left)}${rows[0]!.row}`;
  const to = `${columnName(right)}${rows.at(-1)!.row}`;
  return from === to ? from : `${from}:${to}`;
}

/** "A" for 0, "AA" for 26. */
function columnName(column: number): string {
  let name = "";
  for (let n = column + 1; n > 0; n = Math.floor((n - 1) / 26)) name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}
