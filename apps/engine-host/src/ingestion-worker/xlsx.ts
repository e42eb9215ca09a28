import { posix } from "node:path";
import type { LooseBlock, ParsedDocument } from "./block.ts";
import { type CellFormat, cellFormat, formatNumber } from "./cell-format.ts";
import { refuseCompoundFile } from "./office.ts";
import { ParseFailure, unreadable } from "./parse-failure.ts";
import { type SheetRow, SheetWriter } from "./sheet-blocks.ts";
import { readXml, XmlReader } from "./xml-reader.ts";
import { openZip, type UnpackAllowance, type ZipEntry } from "./zip-archive.ts";

/** Excel's own limits. */
const maxColumns = 16_384;
const maxRows = 1_048_576;
const maxCellCharacters = 32_767;
/** A row with more than this was made to do harm. Characters. */
const maxRowCharacters = 2_000_000;
/** Texts kept at hand for all sheets. Characters. */
const maxSharedCharacters = 50_000_000;

interface Workbook {
  sheets: { name: string; id: string }[];
  calendar: 1900 | 1904;
}

/**
 * Reads an Excel workbook (.xlsx): its sheets in their order, hidden ones too, values as people read them. Formulas count
 * by their last result. Nothing that the file links to is opened.
 */
export async function parseXlsx(bytes: Buffer, allowance: UnpackAllowance): Promise<ParsedDocument> {
  refuseCompoundFile(bytes);
  const parts = new Map((await openZip(bytes, allowance)).map((entry) => [entry.name, entry]));
  const workbookPart = parts.get("xl/workbook.xml");
  if (!workbookPart) throw unreadable("it is damaged or not an Excel workbook");
  const workbook = await readWorkbook(workbookPart);
  const targets = await readRelationships(parts.get("xl/_rels/workbook.xml.rels"));
  const target = (type: string, fallback: string) =>
    parts.get([...targets.values()].find((found) => found.type === type)?.path ?? "") ?? parts.get(fallback);
  const strings = await readStrings(target("sharedStrings", "xl/sharedStrings.xml"));
  const formats = await readFormats(target("styles", "xl/styles.xml"));
  const done = { sheets: 0 };
  return {
    title: null,
    blocks: sheets(workbook, parts, targets, strings, formats, done),
    progress: () => done.sheets / Math.max(1, workbook.sheets.length),
  };
}

async function* sheets(
  workbook: Workbook,
  parts: Map<string, ZipEntry>,
  targets: Map<string, Target>,
  strings: string[],
  formats: CellFormat[],
  done: { sheets: number },
): AsyncGenerator<LooseBlock, void> {
  const read = new Set<string>();
  for (const { name, id } of workbook.sheets) {
    const path = targets.get(id)?.path ?? "";
    const part = parts.get(path);
    // Sheets of charts have no cells; a sheet listed twice is read once.
    if (!part || !path.includes("/worksheets/") || read.has(path)) continue;
    read.add(path);
    const rows: SheetRow[] = [];
    const writer = new SheetWriter(name);
    const reader = new XmlReader(rowEvents(rows, strings, formats, workbook.calendar));
    for await (const piece of part.stream()) {
      reader.write(piece);
      for (const row of rows.splice(0)) yield* writer.write(row);
    }
    reader.end();
    for (const row of rows) yield* writer.write(row);
    yield* writer.end();
    done.sheets++;
  }
}

function rowEvents(rows: SheetRow[], strings: string[], formats: CellFormat[], calendar: 1900 | 1904) {
  let row: SheetRow | null = null;
  let rowCharacters = 0;
  let lastRow = 0;
  let column = -1;
  let type = "n";
  let format: CellFormat = "number";
  let text = "";
  let inText = false;
  let phonetic = 0;

  const endCell = () => {
    const value = valueOf(text.slice(0, maxCellCharacters));
    if (value === "" || !row) return;
    rowCharacters += value.length;
    if (rowCharacters > maxRowCharacters) throw new ParseFailure({ kind: "limit", limit: "output" });
    row.cells.push({ column, text: value });
  };
  const valueOf = (raw: string): string => {
    switch (type) {
      case "s":
        return strings[Number(raw)] ?? "";
      case "b":
        return raw.trim() === "1" ? "TRUE" : "FALSE";
      case "n":
        return formatNumber(raw.trim(), format, calendar);
      default:
        return raw.trim();
    }
  };

  return {
    open(name: string, attributes: Record<string, string>) {
      if (name === "row") {
        lastRow = attributes["r"] ? Number(attributes["r"]) : lastRow + 1;
        if (!(lastRow > 0 && lastRow <= maxRows)) throw unreadable("it has cells outside of any sheet");
        row = { row: lastRow, cells: [] };
        rowCharacters = 0;
        column = -1;
      } else if (name === "c") {
        column = attributes["r"] ? columnOf(attributes["r"]) : column + 1;
        if (!(column >= 0 && column < maxColumns)) throw unreadable("it has cells outside of any sheet");
        type = attributes["t"] ?? "n";
        format = formats[Number(attributes["s"] ?? 0)] ?? "number";
        text = "";
      } else if (name === "v" || name === "t") inText = true;
      else if (name === "rPh") phonetic++;
    },
    close(name: string) {
      if (name === "v" || name === "t") inText = false;
      else if (name === "rPh") phonetic--;
      else if (name === "c") endCell();
      else if (name === "row" && row) {
        if (row.cells.length > 0) rows.push({ row: row.row, cells: inOrder(row.cells) });
        row = null;
      }
    },
    text(piece: string) {
      if (inText && phonetic === 0 && text.length < maxCellCharacters) text += piece;
    },
  };
}

/** Left to right, each column once: a row that says the same cell twice shows its last value. */
function inOrder(cells: SheetRow["cells"]): SheetRow["cells"] {
  if (cells.every((cell, i) => i === 0 || cells[i - 1]!.column < cell.column)) return cells;
  const byColumn = new Map(cells.map((cell) => [cell.column, cell]));
  return [...byColumn.values()].sort((a, b) => a.column - b.column);
}

/** 0 for "A7"; -1 for what is no cell. */
function columnOf(reference: string): number {
  const letters = /^([A-Z]{1,4})\d+$/.exec(reference)?.[1] ?? "";
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

async function readWorkbook(part: ZipEntry): Promise<Workbook> {
  const workbook: Workbook = { sheets: [], calendar: 1900 };
  await readXml(part.stream(), {
    open(name, attributes) {
      if (name === "workbookPr" && /^(?:1|true)$/.test(attributes["date1904"] ?? "")) workbook.calendar = 1904;
      if (name !== "sheet") return;
      const id = Object.entries(attributes).find(([key]) => /(?:^|:)id$/.test(key))?.[1] ?? "";
      workbook.sheets.push({ name: attributes["name"] ?? "", id });
    },
  });
  return workbook;
}

interface Target {
  type: string;
  /** In the archive. */
  path: string;
}

/** By id. Targets outside of the file are left out. */
async function readRelationships(part: ZipEntry | undefined): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  if (!part) return targets;
  await readXml(part.stream(), {
    open(name, { Id: id, Target: target, Type: type, TargetMode: mode }) {
      if (name !== "Relationship" || !id || !target || mode === "External") return;
      targets.set(id, { type: type?.split("/").at(-1) ?? "", path: posix.resolve("/xl", target).slice(1) });
    },
  });
  return targets;
}

async function readStrings(part: ZipEntry | undefined): Promise<string[]> {
  const strings: string[] = [];
  if (!part) return strings;
  let text = "";
  let characters = 0;
  let inText = false;
  let phonetic = 0;
  await readXml(part.stream(), {
    open(name) {
      if (name === "si") text = "";
      else if (name === "t") inText = true;
      else if (name === "rPh") phonetic++;
    },
    close(name) {
      if (name === "t") inText = false;
      else if (name === "rPh") phonetic--;
      else if (name === "si") {
        characters += text.length + 8;
        if (characters > maxSharedCharacters) throw new ParseFailure({ kind: "limit", limit: "output" });
        strings.push(text);
      }
    },
    text(piece) {
      if (inText && phonetic === 0 && text.length < maxCellCharacters) text += piece;
    },
  });
  return strings;
}

/** The meaning of each cell style, by its index. */
async function readFormats(part: ZipEntry | undefined): Promise<CellFormat[]> {
  const codes = new Map<number, string>();
  const formats: CellFormat[] = [];
  let inCells = false;
  if (!part) return formats;
  await readXml(part.stream(), {
    open(name, attributes) {
      const id = Number(attributes["numFmtId"]);
      if (name === "numFmt") codes.set(id, attributes["formatCode"] ?? "");
      else if (name === "cellXfs") inCells = true;
      else if (name === "xf" && inCells) formats.push(cellFormat(id, codes.get(id)));
    },
    close(name) {
      if (name === "cellXfs") inCells = false;
    },
  });
  return formats;
}
