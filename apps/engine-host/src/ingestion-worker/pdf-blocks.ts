import type { PageContent, PageLine } from "../store/store.ts";
import type { Block, BlockKind } from "./block.ts";
import type { TextItem, TextRow } from "./pdf-lines.ts";

/** A page whose rows are in reading order. */
export interface RowedPage {
  page: number;
  width: number;
  height: number;
  rows: TextRow[];
}

/** What has been learnt of a document from the pages so far. */
export interface DocumentStyle {
  /** Size of the running text in points. */
  bodySize: number;
  /** Lines at the head or foot of the pages that repeat, digits as "#". */
  running: Set<string>;
  /** Words with a hyphen inside, as they stand within a line. */
  hyphenated: Set<string>;
}

interface Paragraph {
  kind: BlockKind;
  level: number;
  rows: TextRow[];
  running: boolean;
}

/**
 * Writes the text of pages: paragraphs as one line each, words divided at the end of a line joined, table rows as
 * "a | b", and with each stretch of text the box it came from. Running heads and page numbers are in the text of the page
 * but in no block, so nobody finds them in an answer.
 */
export function writePages(pages: RowedPage[], style: DocumentStyle): { pages: PageContent[]; blocks: Block[] } {
  const written: PageContent[] = [];
  const blocks: Block[] = [];
  let unended: Block | null = null;
  for (const page of pages) {
    const writer = new PageWriter(page, style);
    const before = unended;
    unended = null;
    let first = true;
    const paragraphs = toParagraphs(page, style);
    for (const [index, paragraph] of paragraphs.entries()) {
      const block = writer.write(paragraph, paragraphs[index + 1]?.kind);
      if (block === null || paragraph.running) continue;
      // A paragraph that was left without an end and goes on with a small letter runs over the page break.
      if (before && first && paragraph.kind === "paragraph" && /^\p{Ll}/u.test(block.text)) {
        joinOverPageBreak(before, written, lineJoint(before.text.trimEnd(), block.text, style.hyphenated));
      }
      first = false;
      blocks.push(block);
      unended = block.kind === "paragraph" && /[\p{L}\p{N},-]$/u.test(block.text.trimEnd()) ? block : null;
    }
    written.push(writer.finish());
  }
  return { pages: written, blocks };
}

/** Lets a block that ends a page go on in the next one. */
function joinOverPageBreak(block: Block, written: PageContent[], joint: LineJoint): void {
  const span = block.spans[0]!;
  const page = written.find((candidate) => candidate.page === span.page)!;
  const end = span.start + block.text.trimEnd().length - joint.dropped;
  // The blank takes the place of a line feed, so every offset of the page stays true.
  if (joint.blank) page.text = page.text.slice(0, end) + " " + page.text.slice(end + 1);
  span.end = end + joint.blank.length;
  block.text = page.text.slice(span.start, span.end);
  block.continues = true;
}

class PageWriter {
  readonly #page: RowedPage;
  readonly #style: DocumentStyle;
  readonly #lines: PageLine[] = [];
  #text = "";

  constructor(page: RowedPage, style: DocumentStyle) {
    this.#page = page;
    this.#style = style;
  }

  /** Adds a paragraph to the page, before one of kind `next`; null when it holds no text. */
  write(paragraph: Paragraph, next: BlockKind | undefined): Block | null {
    const start = this.#text.length;
    for (const [index, row] of paragraph.rows.entries()) {
      const below = paragraph.rows[index + 1]?.cells[0]?.text;
      const joint = below === undefined ? null : lineJoint(row.cells.at(-1)!.text, below, this.#style.hyphenated);
      for (const [i, cell] of row.cells.entries()) {
        if (i > 0) this.#text += " | ";
        const bullet = index === 0 && i === 0 && paragraph.kind === "list-item" ? bulletLength(cell.text) : 0;
        const dropped = i === row.cells.length - 1 ? (joint?.dropped ?? 0) : 0;
        this.#writeCell(cell, bullet, cell.text.length - dropped);
      }
      this.#text += joint?.blank ?? "";
    }
    if (this.#text.length === start) return null;
    const listed = paragraph.kind === "table-row" || paragraph.kind === "list-item";
    this.#text += listed && next === paragraph.kind ? "\n" : "\n\n";
    const span = { page: this.#page.page, start, end: this.#text.length };
    const text = this.#text.slice(start);
    return { kind: paragraph.kind, level: paragraph.level, text, spans: [span], continues: false };
  }

  finish(): PageContent {
    const { page, width, height } = this.#page;
    return { page, text: this.#text, width, height, lines: this.#lines };
  }

  /** Writes the characters [from, to) of a cell and the part of its box they take. */
  #writeCell(cell: TextItem, from: number, to: number): void {
    const start = this.#text.length;
    this.#text += cell.text.slice(from, to);
    const perCharacter = cell.width / Math.max(1, cell.text.length);
    const x = cell.x + perCharacter * from;
    const width = perCharacter * (to - from);
    this.#lines.push({ start, end: this.#text.length, x, y: cell.y, width, height: cell.height });
  }
}

function bulletLength(text: string): number {
  return /^[•▪◦‣●○■□*·–—-]\s+/u.exec(text)?.[0].length ?? 0;
}

/** How a line goes on in the next one. */
interface LineJoint {
  /** Characters to leave out at the end of the line: its hyphen, or none. */
  dropped: 0 | 1;
  blank: " " | "";
}

/** Words after which a hyphen stays, as in "Ein- und Ausgang". */
const conjunctions = new Set(["and", "or", "und", "oder", "et", "ou", "e", "o", "y", "u", "en", "of"]);

/** A hyphen at the end of a line goes when it only divides a word, and stays when the word is written with one. */
function lineJoint(line: string, next: string, hyphenated: Set<string>): LineJoint {
  const head = /(\p{L}+)[-\u2010]$/u.exec(line)?.[1];
  const tail = /^\p{L}+/u.exec(next)?.[0];
  if (head === undefined || tail === undefined || conjunctions.has(tail)) return { dropped: 0, blank: " " };
  const divides = /^\p{Ll}/u.test(tail) && head.length > 1 && !hyphenated.has(`${head}-${tail}`.toLowerCase());
  return { dropped: divides ? 1 : 0, blank: "" };
}

/** Groups the rows of a page into paragraphs, list items, headings and table rows. */
function toParagraphs(page: RowedPage, style: DocumentStyle): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let open: Paragraph | null = null;
  for (const row of page.rows) {
    const running = isRunning(row, page, style);
    const last: TextRow | undefined = open?.rows.at(-1);
    if (open && last && !running && !open.running && continuesParagraph(open, last, row)) {
      open.rows.push(row);
      continue;
    }
    const kind = row.cells.length > 1 ? "table-row" : isListItem(row) ? "list-item" : "paragraph";
    open = { kind, level: 0, rows: [row], running };
    paragraphs.push(open);
  }
  for (const paragraph of paragraphs) {
    const level = paragraph.running ? 0 : headingLevel(paragraph, style);
    if (level > 0) Object.assign(paragraph, { kind: "heading", level });
  }
  return paragraphs;
}

function isListItem(row: TextRow): boolean {
  return /^(?:[•▪◦‣●○■□*·–—-]|\(?(?:\d{1,3}|\p{L})[.)])\s+\S/u.test(row.cells[0]!.text);
}

function continuesParagraph(paragraph: Paragraph, last: TextRow, row: TextRow): boolean {
  if (row.cells.length > 1 || last.cells.length > 1) return false;
  const [a, b] = [last.cells[0]!, row.cells[0]!];
  const size = Math.max(a.fontSize, b.fontSize);
  if (Math.abs(a.fontSize - b.fontSize) > size * 0.12) return false;
  if (a.bold !== b.bold && paragraph.rows.every((each) => each.cells[0]!.bold)) return false;
  if (isListItem(row) && !(paragraph.kind === "paragraph" && /\p{L}$/u.test(a.text))) return false;
  const gap = row.box.y - (last.box.y + last.box.height);
  if (gap > size * 0.6 || gap < -size) return false;
  if (row.box.x > last.box.x + last.box.width || last.box.x > row.box.x + row.box.width) return false;
  const ended = /[.!?…:。।][)"'»”’]*$/u.test(a.text);
  const first = paragraph.rows.length === 1;
  const indented = row.box.x > last.box.x + size * 0.8 && paragraph.kind !== "list-item" && !(first && !ended);
  const short = last.box.x + last.box.width < row.box.x + row.box.width - size * 6;
  return !(ended && (indented || short));
}

/** 1-4 for a heading, 0 for running text: by size against the running text, or bold and short. */
function headingLevel(paragraph: Paragraph, style: DocumentStyle): number {
  if (paragraph.kind === "table-row" || paragraph.rows.length > 3) return 0;
  const cells = paragraph.rows.flatMap((row) => row.cells);
  const text = cells.map((cell) => cell.text).join(" ");
  if (text.length > 200 || !/\p{L}/u.test(text)) return 0;
  const ratio = Math.min(...cells.map((cell) => cell.fontSize)) / style.bodySize;
  if (ratio >= 1.7) return 1;
  if (ratio >= 1.35) return 2;
  if (ratio >= 1.12) return 3;
  const bold = cells.every((cell) => cell.bold) && ratio > 0.95;
  return bold && text.length <= 100 && paragraph.rows.length <= 2 && !/[.,;:]$/.test(text) ? 4 : 0;
}

/** "12", "- 12 -", "Page 2 of 10" and the same in the languages of the product. */
const pageNumber =
  /^[-–—\s|]*(?:(?:page|p\.|seite|s\.|pagina|pág(?:ina|\.)|pag\.|पृष्ठ|หน้า)\s*)?\d{1,5}(?:\s*(?:\/|of|von|de|di|sur|-|–)\s*\d{1,5})?[-–—\s|]*$/iu;

function isRunning(row: TextRow, page: RowedPage, style: DocumentStyle): boolean {
  if (!mayBeRunning(row, page, style.bodySize)) return false;
  const text = rowText(row);
  return style.running.has(runningKey(text)) || pageNumber.test(text);
}

/** True for small text in the top or bottom tenth of a page, where running heads and page numbers stand. */
export function mayBeRunning(row: TextRow, page: { height: number }, bodySize: number): boolean {
  if (row.cells.some((cell) => cell.fontSize > bodySize * 1.1)) return false;
  return row.box.y + row.box.height < page.height * 0.1 || row.box.y > page.height * 0.9;
}

export function rowText(row: TextRow): string {
  return row.cells.map((cell) => cell.text).join(" ");
}

/** Running heads differ from page to page only in their numbers. */
export function runningKey(text: string): string {
  return text.replace(/\d+/g, "#").replace(/\s+/g, " ").trim();
}
