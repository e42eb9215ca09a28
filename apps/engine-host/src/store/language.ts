import { detect } from "tinyld";

/** Characters looked at: enough for n-grams to agree, cheap for a book. */
const SAMPLE = 4000;

/**
 * The languages told apart, by the script they are written in: Corral's eight and those with much written in them. The
 * detector knows constructed and small ones too, and takes a short English line for Klingon; and it knows Hindi and others
 * in Latin letters, and takes English with short lines for those.
 */
const languagesOfScript: Readonly<Record<string, string>> = {
  Latin: "en de fr it pt es nl sv da no fi pl cs sk hu ro tr hr vi id",
  Devanagari: "hi mr",
  Thai: "th",
  Greek: "el",
  Cyrillic: "ru uk bg sr",
  Arabic: "ar fa ur",
  Hebrew: "he",
  Han: "zh ja",
  Hiragana: "ja",
  Katakana: "ja",
  Hangul: "ko",
  Bengali: "bn",
  Tamil: "ta",
  Telugu: "te",
};
const scripts = Object.keys(languagesOfScript).map((name) => ({
  pattern: new RegExp(`\\p{Script=${name}}`, "gu"),
  languages: languagesOfScript[name]!.split(" "),
}));

/** BCP-47 primary language of a text, or null where it is too short or too mixed to tell. */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, SAMPLE);
  const counted = scripts.map(({ pattern, languages }) => ({ languages, letters: sample.match(pattern)?.length ?? 0 }));
  const main = counted.reduce((most, one) => (one.letters > most.letters ? one : most));
  if (main.letters === 0) return null;
  return detect(sample, { only: main.languages }) || null;
}
