import type { SearchHit, TextSpan } from "@corral/protocol";
import type { PageTable } from "../store/store.ts";

/** A text reduced to what readers compare, and where each remaining character stands in the original. */
interface FoldedText {
  text: string;
  /** UTF-16 offset in the original of each folded character, and one past the end of its original character. */
  starts: number[];
  ends: number[];
}

const doubleQuotes = /[“”„‟«»″]/u;
const singleQuotes = /[‘’‚‛′`´]/u;
const dashes = /[‐‑‒–—―−]/u;
const ignored = /[\s\u00ad\u200b-\u200d\u2060\ufeff]/u;

/**
 * Drops white space, soft hyphens and hyphens at the end of a line, and unifies quotation marks, dashes and compatibility
 * forms (ligatures, full width). Two texts that a person would call word for word the same then compare equal, whatever
 * lines a page breaks them into.
 */
function fold(text: string): FoldedText {
  const folded: FoldedText = { text: "", starts: [], ends: [] };
  for (let offset = 0; offset < text.length;) {
    const character = String.fromCodePoint(text.codePointAt(offset)!);
    const end = offset + character.length;
    const kept = comparable(character, text[end]);
    for (let unit = 0; unit < kept.length; unit++) {
      folded.starts.push(offset);
      folded.ends.push(end);
    }
    folded.text += kept;
    offset = end;
  }
  return folded;
}

function comparable(character: string, next: string | undefined): string {
  if (ignored.test(character)) return "";
  if (character === "-" || dashes.test(character)) return next !== undefined && /\s/u.test(next) ? "" : "-";
  if (doubleQuotes.test(character)) return '"';
  if (singleQuotes.test(character)) return "'";
  return character.normalize("NFKD");
}

/** Where `quote` stands in `text` word for word (white space, quotation marks and line breaks aside); null: nowhere. */
export function findQuote(quote: string, text: string): { start: number; end: number } | null {
  return findFolded(fold(quote).text, fold(text));
}

function findFolded(needle: string, haystack: FoldedText): { start: number; end: number } | null {
  if (needle === "") return null;
  const at = haystack.text.indexOf(needle);
  if (at < 0) return null;
  return { start: haystack.starts[at]!, end: haystack.ends[at + needle.length - 1]! };
}

/**
 * The stretches of the document's pages where `quote`, a part of this passage, stands. The passage's own spans when the
 * page text no longer has it (the document was read anew or removed meanwhile).
 */
export async function locateQuote(quote: string, passage: SearchHit, pages: PageTable): Promise<TextSpan[]> {
  const pieces: { span: TextSpan; text: string }[] = [];
  for (const span of passage.spans) {
    const page = await pages.get(passage.documentId, span.page);
    if (page !== null) pieces.push({ span, text: page.text.slice(span.start, span.end) });
  }
  // Joined by a line break, so that a word hyphenated across two pages folds like one across two lines.
  const found = findQuote(quote, pieces.map((piece) => piece.text).join("\n"));
  if (found === null) return passage.spans;
  const spans: TextSpan[] = [];
  let pieceStart = 0;
  for (const { span, text } of pieces) {
    const start = Math.max(found.start - pieceStart, 0);
    const end = Math.min(found.end - pieceStart, text.length);
    if (start < end) spans.push({ page: span.page, start: span.start + start, end: span.start + end });
    pieceStart += text.length + 1;
  }
  return spans;
}
