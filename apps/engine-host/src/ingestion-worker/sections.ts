import type { TableRow } from "@corral/protocol";
import type { PageContent } from "../store/store.ts";
import type { Block, LooseBlock } from "./block.ts";
import type { DocumentPart } from "./document-part.ts";

/** A document without pages is shown in sections of about this many characters, cut between blocks. */
const sectionCharacters = 8000;
/** Characters of a section's name; a longer heading is cut. */
const longestLabel = 80;
/** Sections handed on at once. */
const partSections = 20;

/**
 * Lays blocks out as the text of numbered sections. `\n\n` stands between blocks, `\n` between list items and table rows.
 * @param progress how much of the document is read (0..1) after so many blocks
 */
export async function* layOutSections(
  source: Iterable<LooseBlock> | AsyncIterable<LooseBlock>,
  progress: (blocks: number) => number,
): AsyncGenerator<DocumentPart, void> {
  let pages: PageContent[] = [];
  let placed: Block[] = [];
  let page = 1;
  let text = "";
  let label: string | null = null;
  let tableRows: TableRow[] = [];
  let handled = 0;
  const closeSection = () => {
    pages.push({ page, text, width: null, height: null, lines: [], label, tableRows });
    page++;
    text = "";
    tableRows = [];
  };

  for await (const [block, next] of withNext(source)) {
    if (block.startsSection && text !== "") closeSection();
    if (block.startsSection) label = labelOf(block);
    const pieces = splitLongBlock(block.text);
    for (const [i, piece] of pieces.entries()) {
      const last = i === pieces.length - 1;
      const whole = piece + (last ? separator(block, next) : "");
      // A heading goes with what follows it.
      const ahead = block.kind === "heading" ? Math.min(next?.text.length ?? 0, sectionCharacters / 4) : 0;
      if (text !== "" && text.length + whole.length + ahead > sectionCharacters) closeSection();
      if (pages.length >= partSections) {
        yield { pages, blocks: placed, progress: progress(handled) };
        pages = [];
        placed = [];
      }
      if (block.kind === "table-row" && pieces.length === 1) tableRows.push(rowAt(block, text.length));
      const span = { page, start: text.length, end: text.length + whole.length };
      const startsSection = block.startsSection === true && i === 0;
      placed.push({
        kind: block.kind,
        level: block.level,
        text: whole,
        startsSection,
        spans: [span],
        continues: !last,
      });
      text += whole;
    }
    handled++;
  }
  if (text !== "") closeSection();
  if (pages.length > 0) yield { pages, blocks: placed, progress: 1 };
}

/** What people call a section: as its first block says, in a line. */
function labelOf({ kind, text, sectionLabel }: LooseBlock): string | null {
  const label = sectionLabel ?? (kind === "heading" ? text : "");
  return label.replace(/\s+/g, " ").trim().slice(0, longestLabel) || null;
}

/** A row whose text begins at this offset of its section. */
function rowAt({ text, row, cells }: LooseBlock, offset: number): TableRow {
  let at = 0;
  const places =
    cells ??
    text.split(" | ").map((cell, column) => {
      const start = at;
      at += cell.length + 3;
      return { column, start, end: start + cell.length };
    });
  return {
    row: row ?? null,
    cells: places.map(({ column, start, end }) => ({ column, start: start + offset, end: end + offset })),
  };
}

async function* withNext<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<[T, T | undefined], void> {
  let held: { item: T } | null = null;
  for await (const item of source) {
    if (held) yield [held.item, item];
    held = { item };
  }
  if (held) yield [held.item, undefined];
}

function separator(block: LooseBlock, next: LooseBlock | undefined): string {
  const sameList = next?.kind === block.kind && (block.kind === "list-item" || block.kind === "table-row");
  return sameList || next === undefined ? "\n" : "\n\n";
}

/** A block that alone fills more than a section is cut at a line break, else a blank, else anywhere between characters. */
function splitLongBlock(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > sectionCharacters) {
    const limit = start + sectionCharacters;
    const half = start + sectionCharacters / 2;
    const lineBreak = text.lastIndexOf("\n", limit - 1);
    const blank = text.lastIndexOf(" ", limit - 1);
    let cut = lineBreak > half ? lineBreak + 1 : blank > half ? blank + 1 : limit;
    // Never between the halves of a surrogate pair.
    if (/[\udc00-\udfff]/.test(text[cut] ?? "")) cut--;
    pieces.push(text.slice(start, cut));
    start = cut;
  }
  pieces.push(text.slice(start));
  return pieces;
}
