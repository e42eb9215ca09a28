import { describe, expect, test } from "vitest";
import { detectLanguage } from "./language.ts";
import { queryTerms, termsOf, wordsOf } from "./terms.ts";

describe("termsOf", () => {
  test.each([
    ["en", "The Connections were running", ["the", "connect", "were", "run"]],
    ["de", "Die Häuser der Straße", ["die", "haus", "der", "strass"]],
    ["fr", "L'eau d’été qu'ils continuaient", ["l", "eau", "d", "ete", "qu", "il", "continu"]],
    ["it", "Le città abbandonate", ["le", "citt", "abbandon"]],
    ["pt", "As informações brasileiras", ["as", "inform", "brasileir"]],
    ["es", "Los niños corrían", ["los", "nin", "corr"]],
  ])("stems %s and takes diacritics away", (language, text, terms) => {
    expect(termsOf(text, language)).toEqual(terms);
  });

  test("forms of one word give one term", () => {
    const same = (language: string, ...forms: string[]) =>
      expect(new Set(forms.flatMap((form) => termsOf(form, language))).size, forms.join(" ")).toBe(1);
    same("en", "maintain", "maintains", "maintained", "maintaining");
    same("de", "Prüfung", "Prüfungen", "PRÜFUNG");
    same("hi", "लड़की", "लड़कियों", "लड़कियां");
    same("es", "e\u0301xito", "éxito", "éxitos");
  });

  test("Thai is cut into words although it writes no blanks, also inside other text", () => {
    expect(termsOf("ทีมรับของ", "th")).toEqual(["ทีม", "รับ", "ของ"]);
    expect(wordsOf("The น้ำทะเล pump")).toEqual(["the", "น้ำ", "ทะเล", "pump"]);
    // The other encodings of the vowel SARA AM, as some PDF files hold it.
    expect(termsOf("น้ำทะเล".normalize("NFKD"), "th")).toEqual(["น้ำ", "ทะเล"]);
    expect(termsOf("น\u0E4D\u0E49\u0E32ทะเล", "th")).toEqual(["น้ำ", "ทะเล"]);
    expect(wordsOf("ທ\u0ECD\u0EB2ອ\u200Bin")).toEqual(wordsOf("ທ\u0EB3ອ in"));
  });

  test("without a known language words are kept whole, Hindi is told by its script", () => {
    expect(termsOf("Running Brötchen", null)).toEqual(["running", "brotchen"]);
    expect(termsOf("किताबें", null)).toEqual(termsOf("किताबें", "hi"));
    expect(termsOf("running", "en-GB")).toEqual(["run"]);
  });

  test("widths, ligatures, joiners and soft hyphens make no difference", () => {
    expect(termsOf("ﬁle Ｆｉｌｅ fi\u00ADle \uFEFFfile", null)).toEqual(["file", "file", "file", "file"]);
    expect(termsOf("क\u200Dष", "hi")).toEqual(termsOf("कष", "hi"));
  });

  test("punctuation and symbols are no terms, numbers and codes are", () => {
    expect(termsOf("B12, 3.5 % — “XR-200”_a; $!", "en")).toEqual(["b12", "3", "5", "xr", "200", "a"]);
    expect(termsOf(" \n\t…", "en")).toEqual([]);
  });

  test("hostile text gives short terms of letters, marks and digits only", () => {
    const nasty = [
      "x".repeat(100_000),
      "𝒜".repeat(100),
      'a"b*c^d',
      "\u0000\u0001",
      "\uD800",
      "İ",
      "ﷺ",
      "́́́",
      "constructor __proto__",
    ];
    for (const language of ["en", "de", "hi", "th", null])
      for (const term of nasty.flatMap((text) => termsOf(text, language))) {
        expect(term).toMatch(/^[\p{L}\p{M}\p{N}]+$/u);
        expect(term.length).toBeLessThanOrEqual(64);
      }
  });
});

describe("queryTerms", () => {
  test("gives each distinct word with all it may stand as", () => {
    const [houses, ...rest] = queryTerms("Häuser häuser");
    expect(rest).toEqual([]);
    expect(houses).toEqual(expect.arrayContaining(["hauser", "haus"]));
    expect(queryTerms("ทีมรับ")).toEqual([["ทีม"], ["รับ"]]);
    expect(queryTerms("?!")).toEqual([]);
  });

  test("meets the terms of a document in every language, and of a document without one", () => {
    const text: Record<string, [string, string]> = {
      en: ["connections", "connected"],
      de: ["Prüfungen", "Prüfung"],
      fr: ["continuaient", "continuer"],
      it: ["abbandonate", "abbandonato"],
      pt: ["informações", "informação"],
      es: ["corrían", "corría"],
      hi: ["किताबें", "किताब"],
    };
    for (const [language, [inDocument, inQuery]] of Object.entries(text))
      expect(queryTerms(inQuery)[0], language).toContain(termsOf(inDocument, language)[0]);
    expect(queryTerms("Brötchen")[0]).toContain(termsOf("brötchen", null)[0]);
  });
});

describe("detectLanguage", () => {
  test.each([
    ["en", "The committee meets on the first Monday of every month and publishes its minutes."],
    ["de", "Der Ausschuss tagt am ersten Montag jedes Monats und veröffentlicht sein Protokoll."],
    ["fr", "Le comité se réunit le premier lundi de chaque mois et publie son compte rendu."],
    ["it", "Il comitato si riunisce il primo lunedì di ogni mese e pubblica il verbale."],
    ["pt", "O comitê se reúne na primeira segunda-feira de cada mês e publica a sua ata."],
    ["es", "El comité se reúne el primer lunes de cada mes y publica sus actas."],
    ["hi", "समिति हर महीने के पहले सोमवार को बैठक करती है और अपना कार्यवृत्त प्रकाशित करती है।"],
    ["th", "คณะกรรมการประชุมกันในวันจันทร์แรกของทุกเดือนและเผยแพร่รายงานการประชุม"],
  ])("knows %s", (language, text) => expect(detectLanguage(text)).toBe(language));

  test("tells when there is nothing to tell from", () => {
    expect(detectLanguage("")).toBeNull();
    expect(detectLanguage("12 345 — 67")).toBeNull();
  });

  test("goes by the script first: short English lines are not Hindi", () => {
    const slides =
      "Slide 1\n\nRoof project\n\nMention the scaffold permit. 1\n\nSlide 2\n\nRemove the old tiles\nFit the membrane";
    expect(detectLanguage(slides)).toBe("en");
  });
});
