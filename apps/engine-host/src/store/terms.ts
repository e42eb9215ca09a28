import { stemmer as stemHindi } from "@orama/stemmers/indian";
import snowball from "snowball-stemmers";
import { stemEnglish } from "./stem-english.ts";

/** Raised when the same text gives other terms than before: stored indexes are then made anew. */
const ANALYZER_VERSION = 1;

/** Raised when postings are kept in another form (see posting-list.ts and posting-blocks.ts). */
const POSTINGS_VERSION = 3;

/** What made an index: our rules and the ICU that cuts Thai (Node and Electron carry different ones). */
export const analyzerName = `terms-${ANALYZER_VERSION}/postings-${POSTINGS_VERSION}/icu-${process.versions.icu ?? "none"}`;

/** Longest term kept, UTF-16 units; what is longer (an encoded picture, a hash) is cut. */
const LONGEST_TERM = 64;

/** The languages with Latin letters that are stemmed, by their BCP-47 code. */
const latinStemmers = {
  en: { stem: stemEnglish },
  de: snowball.newStemmer("german"),
  fr: snowball.newStemmer("french"),
  it: snowball.newStemmer("italian"),
  pt: snowball.newStemmer("portuguese"),
  es: snowball.newStemmer("spanish"),
} as const;
export type LatinLanguage = keyof typeof latinStemmers;
export const latinLanguages = Object.keys(latinStemmers) as LatinLanguage[];

/** Scripts written without spaces between words. */
export const unspacedScript =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const words = /[\p{L}\p{N}\p{M}]+/gu;
const devanagari = /\p{Script=Devanagari}/u;
/** Joiners that change how a word is drawn, not which word it is; soft hyphen, byte-order mark. */
const invisible = /[\u00AD\u200C\u200D\u2060\uFEFF]/g;
/** NFKC takes the vowel SARA AM of Thai and Lao apart; the dictionaries know it in one piece. */
const splitSaraAm = /(?:\u0E4D([\u0E48-\u0E4B]?)\u0E32|\u0ECD([\u0EC8-\u0ECB]?)\u0EB2)/g;
const segmenter = new Intl.Segmenter("th", { granularity: "word" });

/**
 * The terms of a text, in order and with repetitions: normalised (NFKC, lower case), cut into words, stemmed by language,
 * Latin letters without their diacritics. A term holds only letters, marks and digits.
 * @param language BCP-47 code of the text; null or one without a stemmer: words are kept whole. Hindi is told by its script.
 */
export function termsOf(text: string, language: string | null): string[] {
  const stemmed = stemmedLanguage(language);
  return wordsOf(text).map((word) => termOf(word, stemmed));
}

/** The language by whose rules Latin words of a text are stemmed; null: by none. @param language BCP-47 */
export function stemmedLanguage(language: string | null): LatinLanguage | null {
  const primary = language?.slice(0, 2).toLowerCase() ?? "";
  return primary in latinStemmers ? (primary as LatinLanguage) : null;
}

/**
 * The distinct words of a question, each as the list of terms it may stand as in an index: as it is, and stemmed in every
 * language with Latin letters (guessing the language of a few words goes wrong too often).
 */
export function queryTerms(query: string): string[][] {
  return [...new Set(wordsOf(query))].map(termsOfWord);
}

/** Words of questions whose terms are remembered: stemming one in every language takes a while. */
const REMEMBERED_WORDS = 4096;
const termsByWord = new Map<string, string[]>();

function termsOfWord(word: string): string[] {
  let terms = termsByWord.get(word);
  if (!terms) {
    terms = [...new Set([termOf(word, null), ...latinLanguages.map((language) => termOf(word, language))])];
    if (termsByWord.size >= REMEMBERED_WORDS) termsByWord.clear();
    termsByWord.set(word, terms);
  }
  return terms;
}

/** The words of a text, normalised and in order. */
export function wordsOf(text: string): string[] {
  return plainText(text).match(words) ?? [];
}

/** A text normalised and in lower case, with a blank between words that the script writes without one. */
export function plainText(text: string): string {
  const plain = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(invisible, "")
    .replace(splitSaraAm, (_, thaiTone?: string, laoTone?: string) =>
      laoTone === undefined ? `${thaiTone}\u0E33` : `${laoTone}\u0EB3`,
    );
  return unspacedScript.test(plain) ? withBlanks(plain) : plain;
}

/** The text with a blank at each word boundary. */
function withBlanks(text: string): string {
  let spaced = "";
  for (const { segment } of segmenter.segment(text)) spaced += `${segment} `;
  return spaced;
}

const latinLetters = /[\u0061-\u024F\u1E00-\u1EFF]/;

/** The term a word of {@link wordsOf} stands as in a text of this language. */
export function termOf(word: string, language: LatinLanguage | null): string {
  if (word.length > LONGEST_TERM) return fold(word).slice(0, LONGEST_TERM).toWellFormed().replaceAll("\uFFFD", "");
  if (devanagari.test(word)) return stemHindi(word) || word;
  if (!latinLetters.test(word)) return word;
  return fold(language ? latinStemmers[language].stem(word) : word) || word;
}

const foldedLetters: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

/** A word of {@link wordsOf} as it is compared where its form counts: without the diacritics of Latin letters. */
export function exactWord(word: string): string {
  return latinLetters.test(word) ? fold(word) : word;
}

/** Latin letters without diacritics; other scripts keep their marks. */
function fold(word: string): string {
  if (/^[\0-\x7f]*$/.test(word)) return word;
  return word
    .normalize("NFD")
    .replace(/[\u0300-\u036F]/g, "")
    .normalize("NFC")
    .replace(/[ßæœøłđðþı]/g, (letter) => foldedLetters[letter]!);
}
