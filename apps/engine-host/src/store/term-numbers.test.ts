import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOf } from "./posting-blocks.ts";
import { TermNumbers } from "./term-numbers.ts";
import { termsOf } from "./terms.ts";

const decoder = new TextDecoder();

/** The terms that the numbers of a text stand for. */
function read(terms: TermNumbers, text: string, language: string | null): string[] {
  terms.read(text, language);
  return Array.from(terms.numbers.subarray(0, terms.length), (number) => {
    const term = decoder.decode(terms.bytes.subarray(terms.starts[number], terms.starts[number + 1]));
    expect(terms.hashes[number]).toBe(hashOf(term));
    return term;
  });
}

const texts: [string, string][] = [
  ["en", "The Pumps were MAINTAINED in 2024-25; the pump's “maintenance” ﬁle isn't naïve."],
  ["de", "Die Häuser in der Straße wurden geprüft: STRASSE, Maß, Übergröße."],
  ["fr", "L'été, les œuvres d’art étaient exposées aujourd'hui à Orléans."],
  ["it", "Le città più belle dell'Italia; perché no?"],
  ["pt", "As instituições não são irmãs: coração, ações."],
  ["es", "Los niños corrían rápidamente hacia la estación."],
  ["hi", "लड़कियों ने किताबें पढ़ीं और घरों में रहीं।"],
  ["th", "ทีมรับของแพนเธอร์สถอดใจที่คะแนน 308 น้ำทะเล"],
];

describe("the terms of a text as numbers", () => {
  test.each(texts)("are those of termsOf: %s", (language, text) => {
    const terms = new TermNumbers();
    for (const as of [language, null, "en", "de"]) expect(read(terms, text, as)).toEqual(termsOf(text, as));
  });

  test("hold for any text, read one after the other", () => {
    const terms = new TermNumbers();
    const languages = fc.constantFrom("en", "de", "fr", "it", "pt", "es", "hi", "th", null);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), languages, (text, language) => {
        expect(read(terms, text, language)).toEqual(termsOf(text, language));
      }),
      { numRuns: 2000 },
    );
    // Letters beyond the first plane, halves of surrogate pairs, and a word as long as a page.
    for (const text of ["𝔄𝔅 𐐀𐐨x 😀 a\ud800b \udc00", "x".repeat(5000), "", "A", "É"])
      expect(read(terms, text, "en")).toEqual(termsOf(text, "en"));
  });

  test("are the same for the same term, and tell more words apart than the table has room for at first", () => {
    const terms = new TermNumbers();
    const text = Array.from({ length: 20_000 }, (_, i) => `word${i}q`).join(" ");
    expect(read(terms, text, "en")).toEqual(termsOf(text, "en"));
    const before = terms.count;
    terms.read("Word17q WORD17q word17qs", "en");
    expect(new Set(terms.numbers.subarray(0, 3)).size).toBe(1);
    expect(terms.count).toBe(before);
  });

  test("are given up when there are too many", () => {
    const terms = new TermNumbers();
    terms.read(Array.from({ length: 140_000 }, (_, i) => `w${i}x`).join(" "), null);
    expect(terms.count).toBe(140_000);
    terms.forget();
    expect(read(terms, "pumps w7x", "en")).toEqual(["pump", "w7x"]);
    expect(terms.count).toBe(2);
    terms.forget();
    expect(terms.count).toBe(2);
  });
});
