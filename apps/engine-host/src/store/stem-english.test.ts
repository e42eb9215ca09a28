import fc from "fast-check";
import snowball from "snowball-stemmers";
import { expect, test } from "vitest";
import { stemEnglish } from "./stem-english.ts";

const generated = snowball.newStemmer("english");

test.each([
  ["connections", "connect"],
  ["connecting", "connect"],
  ["generously", "generous"],
  ["skies", "sky"],
  ["inning", "inning"],
  ["yellowy", "yellowi"],
  ["by", "by"],
])("%s becomes %s", (word, stem) => expect(stemEnglish(word)).toBe(stem));

const suffixes = (
  "s es sses ed eed ing ies ied y ly li ingly edly eedly ization ational fulness ousness iveness biliti bli ogi ement ion " +
  "tion sion al able ative ical ful less ness ize er ll e at bl iz gg us ss"
).split(" ");
const part = fc.oneof(
  fc.constantFrom(...suffixes, "gener", "commun", "arsen", "y", "pro", "str", "ou"),
  fc.string({ unit: fc.constantFrom(..."aeiouyybcdfglmnrstvwxé7"), maxLength: 4 }),
);

test("stems as the stemmer that Snowball generates, whatever the word", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const word = parts.join("");
      expect(stemEnglish(word)).toBe(generated.stem(word));
    }),
    { numRuns: 4000 },
  );
});
