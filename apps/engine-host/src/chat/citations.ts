import type { Citation, SearchHit } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import { splitSentences } from "../store/sentences.ts";
import { supportOf } from "./citation-support.ts";
import { rankEvidence } from "./evidence.ts";
import { topicTerms } from "./function-words.ts";
import { findQuote, locateQuote } from "./locate-quote.ts";

/** A numbered passage of the prompt. Its number is its place, from 1. */
export interface CitablePassage {
  hit: SearchHit;
  /** The one sentence of it the model was shown; null when it saw the whole passage. */
  shown: string | null;
}

/** A citation marker in an answer, as in "[2]" or "[1, 3]". */
const marker = /\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/gu;

/** The line that opens or closes a code block in Markdown. */
const fence = /^[ \t]*(?:```|~~~)/gmu;

/** Characters looked back for the start of inline code, so that an endless line costs no more than a long one. */
const longestCodeSpan = 2000;

/** Characters; a longer list of numbers is no citation anybody writes. */
const longestMarker = 64;

/** Characters looked at for the sentence that carries a marker; nobody states more in one. */
const longestStatement = 4000;

/** Markers whose statement is still being written, at most. */
const mostOpen = 32;

/** Characters a sentence must have for "word for word" to mean something; "Yes." stands in every document. */
const shortestVerbatim = 8;

/** A marker that stands before its statement, as in "[1] says that …". */
interface OpenMarker {
  number: number;
  /** Where the statement begins. */
  from: number;
}

/**
 * Finds citation markers in an answer while it is written, binds each number to its passage the first time it appears, and
 * checks each sentence that carries it: a sentence the passage does not support gives the citation again, saying so. A
 * number no passage has is not a citation; nor is anything inside code.
 */
export class CitationBinder {
  readonly #passages: CitablePassage[];
  readonly #question: string;
  readonly #store: Pick<Store, "index" | "pages">;
  readonly #bound = new Map<number, Citation>();
  #open: OpenMarker[] = [];
  #text = "";
  #searchedTo = 0;
  /** Code fences in the lines before the one that starts at #lineStart, and how far the answer was looked through. */
  #fences = 0;
  #lineStart = 0;
  #scannedTo = 0;

  constructor(passages: CitablePassage[], question: string, store: Pick<Store, "index" | "pages">) {
    this.#passages = [...passages];
    this.#question = question;
    this.#store = store;
  }

  /** Takes passages the model got to see meanwhile behind the others; answers their numbers. One it knows keeps its number. */
  add(passages: CitablePassage[]): number[] {
    return passages.map((passage) => {
      const known = this.#passages.findIndex(({ hit }) => hit.chunkId === passage.hit.chunkId);
      return known >= 0 ? known + 1 : this.#passages.push(passage);
    });
  }

  /** Takes the next piece of the answer; answers the citations that became complete, or known to be unsupported, with it. */
  async push(piece: string): Promise<Citation[]> {
    this.#text += piece;
    const citations: Citation[] = await this.#close(false);
    marker.lastIndex = this.#searchedTo;
    for (let match = marker.exec(this.#text); match !== null; match = marker.exec(this.#text)) {
      const markerStart = match.index;
      this.#searchedTo = markerStart + match[0].length;
      if (this.#insideCode(markerStart)) continue;
      const before = this.#text.slice(Math.max(0, markerStart - longestStatement), markerStart);
      const numbers = new Set(match[1]!.split(",").map(Number));
      for (const number of numbers) citations.push(...(await this.#cite(number, before)));
      marker.lastIndex = this.#searchedTo;
    }
    // A marker may be cut in two by the stream, so the last few characters are looked at again.
    this.#searchedTo = Math.max(this.#searchedTo, this.#text.length - longestMarker);
    return citations;
  }

  /** The answer is written: answers the citations that turn out to be unsupported only now. */
  finish(): Promise<Citation[]> {
    return this.#close(true);
  }

  async #cite(number: number, before: string): Promise<Citation[]> {
    const passage = this.#passages[number - 1];
    if (passage === undefined) return [];
    const plain = withoutMarkers(before).trimEnd();
    const { shown } = passage;
    const statement = shown !== null && plain.endsWith(shown) ? shown : carryingSentence(plain);
    const found: Citation[] = [];
    if (!this.#bound.has(number)) {
      const citation = await this.#bind(number, passage, statement);
      this.#bound.set(number, citation);
      found.push(citation);
    }
    if (!saysSomething(statement)) {
      if (this.#open.length < mostOpen) this.#open.push({ number, from: this.#searchedTo });
      return found;
    }
    return this.#check(number, statement, found);
  }

  /** Adds the citation once more when the passage does not support the statement. */
  async #check(number: number, statement: string, found: Citation[]): Promise<Citation[]> {
    const citation = this.#bound.get(number)!;
    const { hit } = this.#passages[number - 1]!;
    if (citation.support === "unsupported" || findQuote(statement, hit.text) !== null) return found;
    if ((await supportOf(statement, hit, this.#store.index)) === "paraphrase") return found;
    const unsupported: Citation = { ...citation, support: "unsupported", statement };
    this.#bound.set(number, unsupported);
    return [...found.filter((other) => other.number !== number), unsupported];
  }

  /** Checks the statements behind markers that stand before theirs, as far as they are complete. */
  async #close(isFinished: boolean): Promise<Citation[]> {
    const citations: Citation[] = [];
    const still: OpenMarker[] = [];
    for (const open of this.#open) {
      const rest = this.#text.slice(open.from, open.from + longestStatement);
      const line = rest.split("\n", 1)[0]!;
      const [first, second] = splitSentences(line);
      const isComplete = isFinished || second !== undefined || line.length < rest.length;
      if (!isComplete) still.push(open);
      else if (first)
        citations.push(...(await this.#check(open.number, plainSentence(withoutMarkers(first.text)), [])));
    }
    this.#open = still;
    return citations;
  }

  /** Whether this place of the answer, which only moves on, lies in a code block or in inline code. */
  #insideCode(place: number): boolean {
    const newest = this.#text.slice(this.#scannedTo, place);
    const lineBreak = newest.lastIndexOf("\n");
    if (lineBreak >= 0) {
      const lineStart = this.#scannedTo + lineBreak + 1;
      this.#fences += this.#text.slice(this.#lineStart, lineStart).match(fence)?.length ?? 0;
      this.#lineStart = lineStart;
    }
    this.#scannedTo = place;
    if (this.#fences % 2 === 1) return true;
    const line = this.#text.slice(Math.max(this.#lineStart, place - longestCodeSpan), place);
    return (line.match(/`+/gu)?.length ?? 0) % 2 === 1;
  }

  async #bind(number: number, { hit, shown }: CitablePassage, statement: string): Promise<Citation> {
    const verbatim = statement.length >= shortestVerbatim ? findQuote(statement, hit.text) : null;
    if (verbatim !== null) {
      return citationOf(number, hit, hit.text.slice(verbatim.start, verbatim.end), "verbatim", this.#store);
    }
    const ranked = await rankEvidence(`${statement} ${this.#question}`, [hit], this.#store.index);
    const quote = shown ?? ranked[0]?.sentence ?? splitSentences(hit.text)[0]?.text ?? hit.text;
    return citationOf(number, hit, quote, "paraphrase", this.#store);
  }
}

/** Whether there is anything in it that could be true or false of a passage. */
function saysSomething(statement: string): boolean {
  return /\p{Nd}/u.test(statement) || topicTerms(statement).length > 0;
}

/** A citation of `quote`, a part of the passage. */
export async function citationOf(
  number: number,
  hit: SearchHit,
  quote: string,
  support: Citation["support"],
  store: Pick<Store, "pages">,
): Promise<Citation> {
  const spans = await locateQuote(quote, hit, store.pages);
  return {
    number,
    chunkId: hit.chunkId,
    documentId: hit.documentId,
    document: hit.document,
    page: hit.page === null ? null : (spans[0]?.page ?? hit.page),
    // The name is that of the page the passage begins on.
    ...(hit.label !== undefined &&
      (hit.page === null || (spans[0]?.page ?? hit.page) === hit.page) && { label: hit.label }),
    quote: quote.replace(/\s+/gu, " ").trim(),
    spans,
    support,
  };
}

/** The answer without its citation markers. */
export function withoutMarkers(text: string): string {
  return text.replace(/[ \t]?\[\d{1,4}(?:\s*,\s*\d{1,4})*\]/gu, "");
}

/** The sentence at the end of this text, without Markdown dress and closing punctuation. */
function carryingSentence(text: string): string {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  return plainSentence(splitSentences(line).at(-1)?.text ?? "");
}

function plainSentence(sentence: string): string {
  return sentence
    .replace(/^\s*(?:[-*+>#]+|\d+[.)])\s+/u, "")
    .replace(/\*\*|__|(?<!\w)[*_]|[*_](?!\w)/gu, "")
    .replace(/^[\s"“„«'‘]+|[\s"”“»'’.,;:!?。]+$/gu, "");
}
