/** A sentence of a text: `text` is the slice from `start` to `end` (UTF-16 offsets), without blanks around it. */
export interface Sentence {
  text: string;
  start: number;
  end: number;
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Where a block ends: at a blank line, before a list item, heading or table row, and after a heading or table row. */
const blockEnd =
  /\n[^\S\n]*\n\s*|\n(?=[^\S\n]*(?:[-*+•‣▪◦–—]\s|(?:\d{1,3}|\p{L})[.)]\s|#{1,6}\s|\|))|(?<=^[^\S\n]*(?:#{1,6}\s|\|)[^\n]*)\n/gmu;

/**
 * Cuts a text into sentences by Unicode's rules (UAX 29), with what they do not know: a line break inside a paragraph ends
 * nothing (PDF lines), abbreviations and ordinals do not end a sentence, and in Thai a blank ends a long one.
 */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  for (const match of text.matchAll(blockEnd)) {
    addBlock(text, start, match.index, sentences);
    start = match.index + match[0].length;
  }
  addBlock(text, start, text.length, sentences);
  return sentences;
}

function addBlock(text: string, blockStart: number, blockEnd: number, sentences: Sentence[]): void {
  // Each line break becomes one blank, so offsets stay.
  const block = text.slice(blockStart, blockEnd).replace(/[\r\n\u2028\u2029]/g, " ");
  let start = 0;
  let end = 0;
  for (const { segment } of segmenter.segment(block)) {
    end += segment.length;
    if (end < block.length && continues(block.slice(Math.max(start, end - TAIL), end), block.slice(end, end + TAIL)))
      continue;
    for (const [from, to] of clauses(block.slice(start, end)))
      addTrimmed(text, blockStart + start + from, blockStart + start + to, sentences);
    start = end;
  }
}

function addTrimmed(text: string, start: number, end: number, sentences: Sentence[]): void {
  const slice = text.slice(start, end);
  const trimmed = slice.trim();
  if (trimmed === "") return;
  const from = start + slice.indexOf(trimmed);
  sentences.push({ text: trimmed, start: from, end: from + trimmed.length });
}

/** Words before a full stop that ends no sentence, in the eight languages; lower case, without the stop. */
const abbreviations = new Set(
  (
    "mr mrs ms dr prof st sr jr no nos vol vols fig figs eq eqs sec ch pp p ed eds approx dept gen gov sen rep rev hon col capt lt sgt vs al cf resp e.g i.e " +
    "nr abb abs art bd bsp bzgl bzw ca d.h evtl ggf hrsg inkl kap max min mio mrd sog str tab u.a usw vgl z.b z.t s " +
    "mme mlle m av env p.ex chap réf " +
    "sig sigg sig.ra dott dott.ssa ing avv pag pagg cap es ecc " +
    "sra srta dra prof.ª exmo exma núm pág págs fls ud uds av avda aprox ej p.ej"
  ).split(" "),
);

/** What follows an ordinal ("am 3. Oktober", "2. Auflage") rather than a number at the end of a sentence. */
const afterOrdinal =
  /^(?:januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|jahrhundert|auflage|kapitel|abschnitt|klasse|platz|quartal|halbjahr|weltkrieg)/iu;

/** Characters around a full stop that tell whether it ends the sentence. */
const TAIL = 24;

/** True when the full stop at the end of `before` does not end its sentence. */
function continues(before: string, after: string): boolean {
  const stopped = /(?:^|[\s([{"'„“«])([^\s([{"'„“«]{1,12})\.\s*$/u.exec(before);
  if (!stopped) return false;
  const word = stopped[1]!;
  if (/^\p{Lu}$/u.test(word)) return true;
  // A number alone is the mark of a list item, which belongs to its text.
  if (/^\d{1,3}$/.test(word)) return before.trim() === `${word}.` || afterOrdinal.test(after);
  return abbreviations.has(word.toLowerCase());
}

const thai = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Characters a clause has at least before a blank ends it. */
const SHORTEST_CLAUSE = 80;

/** These scripts mark no end of a sentence but put a blank there (and elsewhere): long stretches are cut at blanks. */
function clauses(sentence: string): [number, number][] {
  if (sentence.length < 2 * SHORTEST_CLAUSE || !thai.test(sentence)) return [[0, sentence.length]];
  const found: [number, number][] = [];
  let start = 0;
  for (const blank of sentence.matchAll(/\s+/gu)) {
    const end = blank.index + blank[0].length;
    if (blank.index - start < SHORTEST_CLAUSE || sentence.length - end < SHORTEST_CLAUSE / 2) continue;
    found.push([start, end]);
    start = end;
  }
  return [...found, [start, sentence.length]];
}
