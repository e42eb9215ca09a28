/** Characters of text looked at; enough for any of these scripts to show itself. */
const sampleBytes = 16 * 1024;

/** An encoding from before Unicode, and how well a text that was decoded with it reads (0: not at all, 1: as its language). */
interface Candidate {
  encoding: string;
  score(text: string): number;
}

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
/** Letters and signs outside ASCII. */
const foreign = /[^\0-\x7f]/gu;
const share = (text: string, pattern: RegExp) => count(text, pattern) / Math.max(1, count(text, foreign));

/** Of a script with capitals: those stand at the beginning of words, or make up whole words. */
const cased = (script: string, never: RegExp) => (text: string) => {
  const letters = new RegExp(`[${script}]`, "gu");
  const misplaced = count(text, new RegExp(`(?=[${script}]{2})\\p{Ll}\\p{Lu}`, "gu")) + count(text, never);
  return share(text, letters) - (6 * misplaced) / Math.max(1, count(text, letters));
};

/** Words that nearly every Chinese text is full of, in both ways of writing them. */
const commonHan =
  /[的一是不了在人有我他这這中大来來上国國个個到说說们們为為和你地出道也时時年得就要下以生会會自着去之过過家]/gu;
const han = /\p{Script=Han}/gu;

const candidates: Candidate[] = [
  // Kana make up half of any Japanese text; half-width ones are what other bytes turn into.
  ...["shift_jis", "euc-jp"].map((encoding) => ({
    encoding,
    score: (text: string) =>
      share(text, /[\u3041-\u30ff]/gu) > 0.2 ? share(text, /[\u3041-\u30ff\u3000-\u303f]|\p{Script=Han}/gu) : 0,
  })),
  { encoding: "euc-kr", score: (text) => share(text, /\p{Script=Hangul}/gu) },
  ...["gb18030", "big5"].map((encoding) => ({
    encoding,
    score: (text: string) =>
      count(text, commonHan) > 0.06 * count(text, han)
        ? share(text, /\p{Script=Han}|[\u3000-\u303f\uff00-\uffef]/gu)
        : 0,
  })),
  {
    encoding: "windows-874",
    // Signs above and below belong to a consonant, and a vowel that is written before one is followed by it.
    score(text) {
      const wrong = count(
        text,
        /(?<![\u0e01-\u0e2e\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[\u0e40-\u0e44](?![\u0e01-\u0e2e])/gu,
      );
      return share(text, /[\u0e01-\u0e5b]/gu) - (8 * wrong) / Math.max(1, count(text, foreign));
    },
  },
  { encoding: "windows-1251", score: cased("\u0400-\u04ff", /(?<=\p{L})[ЪЫЬ]|[ъыь]{2}/gu) },
  { encoding: "koi8-r", score: cased("\u0400-\u04ff", /(?<=\p{L})[ЪЫЬ]|[ъыь]{2}/gu) },
  { encoding: "windows-1253", score: cased("\u0370-\u03ff", /ς(?=\p{L})|[άέήίόύώ]{2}/gu) },
];

/** Letters of central Europe that windows-1252 shows as signs, inside a word. */
const signsInWords =
  /(?<=\p{L})[¹³¼¾¿£¥](?=[\p{L}\s.,;])|(?<=\s)[¿£¥](?=\p{Ll})|ê(?=[\s.,])|(?<=\p{L})[ñæœ](?=[\s.,æœñê]|\p{Ll})/gu;

/**
 * The encoding of a text that is neither Unicode nor says what it is: told by how it reads in the encodings of Japanese,
 * Korean, Chinese, Thai, Russian and Greek programs, and by the letters of central Europe; else windows-1252, what programs
 * of western languages wrote. A guess: short texts tell too little and are taken as western.
 */
export function guessLegacyEncoding(bytes: Uint8Array): string {
  const sample = bytes.subarray(0, sampleBytes);
  const ascii = sample.reduce(
    (sum, byte) => sum + (byte < 0x80 && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a ? 1 : 0),
    0,
  );
  const others = sample.reduce((sum, byte) => sum + (byte >= 0x80 ? 1 : 0), 0);
  // In western languages letters with accents are few among those without.
  if (others > 0.6 * ascii && others >= 8) {
    let best = { encoding: "", score: 0.7 };
    for (const { encoding, score } of candidates) {
      const text = decodeStrictly(sample, encoding);
      const found = text === null ? 0 : score(text);
      if (found > best.score) best = { encoding, score: found };
    }
    if (best.encoding) return best.encoding;
  }
  const western = new TextDecoder("windows-1252").decode(sample);
  const signs = count(western, signsInWords);
  return signs >= 3 && signs > 0.1 * others ? "windows-1250" : "windows-1252";
}

/** Null when the bytes are not in this encoding. A character that the sample cuts in two does not count. */
function decodeStrictly(sample: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true });
  } catch {
    return null;
  }
}
