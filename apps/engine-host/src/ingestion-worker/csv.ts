import type { LooseBlock } from "./block.ts";
import { unreadable } from "./parse-failure.ts";
import { type SheetRow, sheetBlocks } from "./sheet-blocks.ts";
import { cleanText } from "./text-encoding.ts";

const delimiters = [",", ";", "\t", "|"];
/** Characters from the beginning of the file that its delimiter is told by. */
const sampleCharacters = 20_000;
/** Excel's own limit. */
const maxColumns = 16_384;

/** Reads a table of values with any of the usual delimiters, quoted as RFC 4180 says. Its row numbers count full rows. */
export function parseCsv(source: string): LooseBlock[] {
  const text = cleanText(source);
  return [...sheetBlocks(null, rowsOf(text, findDelimiter(text)))];
}

function* rowsOf(text: string, delimiter: string): Generator<SheetRow> {
  let row = 1;
  for (const values of records(text, delimiter)) {
    const cells = values.map((value, column) => ({ column, text: value.trim() })).filter((cell) => cell.text !== "");
    if (cells.length > 0) yield { row: row++, cells };
  }
}

function* records(text: string, delimiter: string): Generator<string[]> {
  let values: string[] = [];
  for (let at = 0; at < text.length;) {
    let value = "";
    if (text[at] === '"') {
      // A quote inside quotes is written twice. A quoted value that never ends goes to the end of its line.
      let end = text.indexOf('"', at + 1);
      while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
      if (end !== -1) {
        value = text.slice(at + 1, end).replaceAll('""', '"');
        at = end + 1;
      }
    }
    let end = at;
    while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end++;
    values.push(value + text.slice(at, end));
    if (values.length > maxColumns) throw unreadable("it has more columns than any table");
    if (end >= text.length || text[end] === "\n") {
      yield values;
      values = [];
    }
    at = end + 1;
  }
  if (values.length > 0) yield values;
}

/** The delimiter that cuts the most of the first lines into the same number of values. */
function findDelimiter(text: string): string {
  const sample = text.slice(0, sampleCharacters);
  let best = { delimiter: ",", score: 0 };
  for (const delimiter of delimiters) {
    const counts = new Map<number, number>();
    for (const { length } of records(sample, delimiter))
      if (length > 1) counts.set(length, (counts.get(length) ?? 0) + 1);
    const score = Math.max(0, ...[...counts].map(([length, lines]) => lines * Math.min(length, 20)));
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}
