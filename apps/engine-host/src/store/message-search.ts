/** Characters of a snippet before and after what was found. */
const BEFORE = 40;
const AFTER = 120;

/**
 * Text as the conversation search compares it: without case, width and Latin diacritics. Substrings are looked for in it,
 * which needs no knowledge of where words end (Thai) or how they change (Hindi).
 */
export function foldForSearch(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036F]/g, "")
    .toLowerCase();
}

/** The words a search must all find, folded. */
export function searchWords(search: string): string[] {
  return foldForSearch(search).split(/\s+/u).filter(Boolean);
}

/** The part of `text` around the first place where one of the words stands, on one line, "…" where it was cut. */
export function snippetOf(text: string, words: string[]): string {
  const folded = foldForSearch(text);
  const places = words.map((word) => folded.indexOf(word)).filter((place) => place >= 0);
  const hit = originalOffset(text, places.length > 0 ? Math.min(...places) : 0);
  const start = hit <= BEFORE ? 0 : boundary(text, hit - BEFORE, hit);
  const end = hit + AFTER >= text.length ? text.length : boundary(text, hit + AFTER, text.length);
  const part = text.slice(start, end).replace(/\s+/gu, " ").trim().toWellFormed();
  return `${start > 0 ? "…" : ""}${part}${end < text.length ? "…" : ""}`;
}

/** Where in `text` the character stands that gave the folded text's unit at `foldedOffset`. */
function originalOffset(text: string, foldedOffset: number): number {
  let folded = 0;
  let offset = 0;
  for (const character of text) {
    const width = foldForSearch(character).length;
    if (folded + width > foldedOffset) return offset;
    folded += width;
    offset += character.length;
  }
  return offset;
}

/** A blank close after `from`, or `from` where there is none (unspaced scripts). */
function boundary(text: string, from: number, limit: number): number {
  const blank = text.slice(from, Math.min(from + 20, limit)).search(/\s/u);
  return blank < 0 ? from : from + blank;
}
