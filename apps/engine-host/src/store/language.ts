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

/** The words that a text of each language is full of; a third to a half of its words are among them. */
const commonWords: [string, Set<string>][] = Object.entries({
  en: "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which you were their been has will would there what all if can more when who so no we she her its than into",
  de: "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man wurde",
  fr: "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son ont aux cette ou comme être mais d l qu nous sa fait été leur même aussi y ces deux tout elle ils",
  it: "di e il la che in a per un del è non una i con da le si dei sono della al come gli nel alla più anche dal ha ma lo dalla l delle o se su nella stato questo essere loro ai degli dell era suo",
  pt: "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era",
  es: "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante es fue son",
}).map(([language, words]) => [language, new Set(words.split(" "))]);
/** Words of a sample that are looked at, and how many there have to be. */
const MOST_WORDS = 400;
const FEWEST_WORDS = 40;
/** A language is told by its common words where they are so large a share, and so many times those of any other. */
const COMMON_SHARE = 0.22;
const COMMON_LEAD = 1.6;
/** Characters that n-grams are looked at in, which takes its time: some paragraphs. */
const NGRAM_SAMPLE = 800;

/** One of Corral's languages with Latin letters, or null where its common words do not tell it plainly. */
function byCommonWords(sample: string): string | null {
  const words =
    sample
      .toLowerCase()
      .match(/\p{L}+/gu)
      ?.slice(0, MOST_WORDS) ?? [];
  if (words.length < FEWEST_WORDS) return null;
  const [first, second] = commonWords
    .map(([language, common]) => ({ language, count: words.filter((word) => common.has(word)).length }))
    .sort((a, b) => b.count - a.count);
  const isPlain = first!.count >= words.length * COMMON_SHARE && first!.count >= second!.count * COMMON_LEAD;
  return isPlain ? first!.language : null;
}

/** BCP-47 primary language of a text, or null where it is too short or too mixed to tell. */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, SAMPLE);
  const counted = scripts.map(({ pattern, languages }) => ({ languages, letters: sample.match(pattern)?.length ?? 0 }));
  const main = counted.reduce((most, one) => (one.letters > most.letters ? one : most));
  if (main.letters === 0) return null;
  if (main.languages.length === 1) return main.languages[0]!;
  const plain = main.languages.includes("en") ? byCommonWords(sample) : null;
  return plain ?? (detect(sample.slice(0, NGRAM_SAMPLE), { only: main.languages }) || null);
}
