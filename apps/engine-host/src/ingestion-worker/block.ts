import type { TextSpan } from "@corral/protocol";

/** What a stretch of a document is. A table row reads "a | b | c". */
export type BlockKind = "heading" | "paragraph" | "list-item" | "table-row" | "code";

/** A block before its place in the document is known. */
export interface LooseBlock {
  kind: BlockKind;
  /** Heading level from 1 (0: the title of the whole document); 0 for other kinds. */
  level: number;
  text: string;
  /** A slide, sheet or message begins here: the viewer shows it from the top of a section. */
  startsSection?: boolean;
  /** What people call the section that begins here; default: the text of its heading. */
  sectionLabel?: string;
  /** Of a table row: its number in the sheet, from 1. */
  row?: number;
  /** Of a table row: its cells as stretches of `text`; default: what stands between " | ". Columns count from 0. */
  cells?: { column: number; start: number; end: number }[];
}

/** A document as its parser hands it on. */
export interface ParsedDocument {
  /** What the document calls itself. */
  title: string | null;
  blocks: LooseBlock[] | AsyncIterable<LooseBlock>;
  /** How much is read (0..1), where blocks come while reading. */
  progress?: () => number;
}

/**
 * A stretch of a document with its place. `text` is exactly the concatenation of the page texts under `spans`, the blank
 * space that separates it from the next block included, so blocks that follow each other can simply be joined.
 */
export interface Block extends LooseBlock {
  spans: TextSpan[];
  /** True when the next block goes on with the same paragraph (a paragraph that runs over a page break). */
  continues: boolean;
}
