/**
 * Snowball's English stemmer ("Porter 2", https://snowballstem.org/algorithms/english/stemmer.html), written out because the
 * generated one takes ten times as long and English is read by the gigabyte. stem-english.test.ts holds the two together.
 * Names are the algorithm's own.
 */

/** Whole words with a stem of their own. */
const exceptions: ReadonlyMap<string, string> = new Map([
  ["skis", "ski"],
  ["skies", "sky"],
  ["dying", "die"],
  ["lying", "lie"],
  ["tying", "tie"],
  ["idly", "idl"],
  ["gently", "gentl"],
  ["ugly", "ugli"],
  ["early", "earli"],
  ["only", "onli"],
  ["singly", "singl"],
  ...["sky", "news", "howe", "atlas", "cosmos", "bias", "andes"].map((word): [string, string] => [word, word]),
]);

/** Words that are done after the first step. */
const doneAfterPlural = new Set("inning outing canning herring earring proceed exceed succeed".split(" "));

type Rule = readonly [suffix: string, replacement: string];

/** Rules by the last letter of their suffix, longest first: the longest suffix decides, whether its rule holds or not. */
function byLastLetter(rules: Rule[]): ReadonlyMap<number, Rule[]> {
  const groups = new Map<number, Rule[]>();
  for (const rule of rules.toSorted((a, b) => b[0].length - a[0].length)) {
    const letter = rule[0].charCodeAt(rule[0].length - 1);
    const group = groups.get(letter);
    if (group) group.push(rule);
    else groups.set(letter, [rule]);
  }
  return groups;
}

const rules = (text: string) => text.split(" ").map((rule) => rule.split(":") as unknown as Rule);

const step2 = byLastLetter(
  rules(
    "tional:tion enci:ence anci:ance abli:able entli:ent izer:ize ization:ize ational:ate ation:ate ator:ate alism:al " +
      "aliti:al alli:al fulness:ful ousli:ous ousness:ous iveness:ive iviti:ive biliti:ble bli:ble ogi:og fulli:ful " +
      "lessli:less li:",
  ),
);
const step3 = byLastLetter(rules("tional:tion ational:ate alize:al icate:ic iciti:ic ical:ic ful: ness: ative:"));
const step4 = byLastLetter(
  rules("al: ance: ence: er: ic: able: ible: ant: ement: ment: ent: ism: ate: iti: ous: ive: ize: ion:"),
);

function longestRule(groups: ReadonlyMap<number, Rule[]>, word: string): Rule | undefined {
  return groups.get(word.charCodeAt(word.length - 1))?.find(([suffix]) => word.endsWith(suffix));
}

/** A consonant "y" is written "Y" while a word is worked on, so it is no vowel. */
function isVowel(word: string, at: number): boolean {
  switch (word.charCodeAt(at)) {
    case 97: // a
    case 101: // e
    case 105: // i
    case 111: // o
    case 117: // u
    case 121: // y
      return true;
    default:
      return false;
  }
}

function hasVowel(word: string, end: number): boolean {
  for (let at = 0; at < end; at++) if (isVowel(word, at)) return true;
  return false;
}

/** The place after the first consonant that follows a vowel, from `start` on. */
function regionAfter(word: string, start: number): number {
  let at = start;
  while (at < word.length && !isVowel(word, at)) at++;
  while (at < word.length && isVowel(word, at)) at++;
  return Math.min(at + 1, word.length);
}

/** Whether the letters before `end` are a short syllable. */
function endsShort(word: string, end: number): boolean {
  if (end === 2) return isVowel(word, 0) && !isVowel(word, 1);
  if (end < 3 || isVowel(word, end - 1) || !isVowel(word, end - 2) || isVowel(word, end - 3)) return false;
  const last = word[end - 1]!;
  return last !== "w" && last !== "x" && last !== "Y";
}

const doubles = new Set("bb dd ff gg mm nn pp rr tt".split(" "));
const liEndings = "cdeghkmnrt";

/** @param given a word in lower case, without apostrophes */
export function stemEnglish(given: string): string {
  if (given.length < 3) return given;
  const exception = exceptions.get(given);
  if (exception !== undefined) return exception;
  let word = markConsonantY(given);
  const special = /^(?:gener|commun|arsen)/.exec(word);
  const r1 = special ? special[0].length : regionAfter(word, 0);
  const r2 = regionAfter(word, r1);

  word = withoutPlural(word);
  if (doneAfterPlural.has(word)) return word;
  word = withoutEdAndIng(word, r1);

  const last = word.length - 1;
  if (last > 1 && (word[last] === "y" || word[last] === "Y") && !isVowel(word, last - 1))
    word = `${word.slice(0, last)}i`;

  word = applyInR1(word, r1);
  word = applyInR1OrR2(word, r1, r2);
  word = dropInR2(word, r2);
  word = withoutFinalEOrL(word, r1, r2);
  return word.includes("Y") ? word.replaceAll("Y", "y") : word;
}

function markConsonantY(word: string): string {
  if (!word.includes("y")) return word;
  let marked = "";
  for (let at = 0; at < word.length; at++)
    marked += word[at] === "y" && (at === 0 || isVowel(marked, at - 1)) ? "Y" : word[at]!;
  return marked;
}

/** Step 1a. */
function withoutPlural(word: string): string {
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ied") || word.endsWith("ies")) return word.slice(0, word.length > 4 ? -2 : -1);
  if (!word.endsWith("s") || word.endsWith("us") || word.endsWith("ss")) return word;
  return hasVowel(word, word.length - 2) ? word.slice(0, -1) : word;
}

/** Step 1b. */
function withoutEdAndIng(word: string, r1: number): string {
  const eed = /eed(?:ly)?$/.exec(word);
  if (eed) return eed.index >= r1 ? word.slice(0, eed.index + 2) : word;
  const ending = /(?:ed|ing)(?:ly)?$/.exec(word);
  if (!ending || !hasVowel(word, ending.index)) return word;
  const rest = word.slice(0, ending.index);
  const tail = rest.slice(-2);
  if (tail === "at" || tail === "bl" || tail === "iz") return `${rest}e`;
  if (doubles.has(tail)) return rest.slice(0, -1);
  return rest.length === r1 && endsShort(rest, rest.length) ? `${rest}e` : rest;
}

/** Step 2. */
function applyInR1(word: string, r1: number): string {
  const rule = longestRule(step2, word);
  if (!rule) return word;
  const [suffix, replacement] = rule;
  const start = word.length - suffix.length;
  if (start < r1) return word;
  if (suffix === "ogi" && word[start - 1] !== "l") return word;
  if (suffix === "li" && !liEndings.includes(word[start - 1] ?? " ")) return word;
  return word.slice(0, start) + replacement;
}

/** Step 3. */
function applyInR1OrR2(word: string, r1: number, r2: number): string {
  const rule = longestRule(step3, word);
  if (!rule) return word;
  const [suffix, replacement] = rule;
  const start = word.length - suffix.length;
  return start < (suffix === "ative" ? Math.max(r1, r2) : r1) ? word : word.slice(0, start) + replacement;
}

/** Step 4. */
function dropInR2(word: string, r2: number): string {
  const rule = longestRule(step4, word);
  if (!rule) return word;
  const start = word.length - rule[0].length;
  if (start < r2 || (rule[0] === "ion" && word[start - 1] !== "s" && word[start - 1] !== "t")) return word;
  return word.slice(0, start);
}

/** Step 5. */
function withoutFinalEOrL(word: string, r1: number, r2: number): string {
  const last = word.length - 1;
  const isDropped =
    word[last] === "e"
      ? last >= r2 || (last >= r1 && !endsShort(word, last))
      : word[last] === "l" && last >= r2 && word[last - 1] === "l";
  return isDropped ? word.slice(0, -1) : word;
}
