import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOfType, parseQuery, plainQuery } from "./query.ts";

const parsed = (text: string) => {
  const { plain, phrases, excluded, fields } = parseQuery(text);
  return {
    plain,
    ...(phrases.length > 0 && { phrases }),
    ...(excluded.length > 0 && { excluded }),
    ...(fields.length > 0 && { fields }),
  };
};

describe("a query", () => {
  test("of words is words", () => {
    expect(parseQuery("when does the gate close?")).toEqual(plainQuery("when does the gate close?"));
    expect(parsed("e-mail  well-being - a -- b —c 3-4 -5 °C")).toEqual({
      plain: "e-mail well-being - a -- b —c 3-4 -5 °C",
    });
    expect(parseQuery("")).toEqual(plainQuery(""));
  });

  test.each([
    ["en", '"winter gate" hours', ["winter gate"], "winter gate hours"],
    ["de", "„Große Häuser“ Preis", ["Große Häuser"], "Große Häuser Preis"],
    ["fr", "prix «l'été dernier» net", ["l'été dernier"], "prix l'été dernier net"],
    ["it", "“la città” mappa", ["la città"], "la città mappa"],
    ["pt", '"as ações" preço', ["as ações"], "as ações preço"],
    ["es", "«el año pasado»", ["el año pasado"], "el año pasado"],
    ["hi", '"घर की चाबी" कहाँ', ["घर की चाबी"], "घर की चाबी कहाँ"],
    ["th", '"ทีมรับ" คะแนน', ["ทีมรับ"], "ทีมรับ คะแนน"],
  ])("has phrases in quotes, as each language writes them: %s", (_, text, phrases, plain) => {
    expect(parsed(text)).toEqual({ plain, phrases });
  });

  test("leaves out words and phrases", () => {
    expect(parsed('gate -draft -"old version" -„nicht mehr“ -été')).toEqual({
      plain: "gate",
      excluded: ["draft", "old version", "nicht mehr", "été"],
    });
    expect(parsed('gate -"2024"')).toEqual({ plain: "gate", excluded: ["2024"] });
  });

  test("that only leaves out is looked for", () => {
    expect(parsed("-draft -old")).toEqual({ plain: "-draft -old" });
  });

  test("asks for fields", () => {
    expect(parsed('gate file:report -file:"old draft" Collection:Manuals type:.PDF -type:md')).toEqual({
      plain: "gate",
      fields: [
        { field: "file", value: "report", isExcluded: false },
        { field: "file", value: "old draft", isExcluded: true },
        { field: "collection", value: "Manuals", isExcluded: false },
        { field: "type", value: "pdf", isExcluded: false },
        { field: "type", value: "md", isExcluded: true },
      ],
    });
    expect(parsed("type:pdf")).toEqual({ plain: "", fields: [{ field: "type", value: "pdf", isExcluded: false }] });
  });

  test.each([
    ["2026", "2026-01-01", "2027-01-01"],
    ["2026-12", "2026-12-01", "2027-01-01"],
    ["2026-2", "2026-02-01", "2026-03-01"],
    ["2028-02-29", "2028-02-29", "2028-03-01"],
    ["2026-01..2026-03", "2026-01-01", "2026-04-01"],
    ["2026-01-15..2026-01-15", "2026-01-15", "2026-01-16"],
    [">2026-01-01", "2026-01-02", null],
    [">=2026", "2026-01-01", null],
    ["<2026-02", null, "2026-02-01"],
    ["<=2026-02", null, "2026-03-01"],
    ["..2026-03", null, "2026-04-01"],
    ["2026-03..", "2026-03-01", null],
  ])("asks for days: date:%s", (value, from, before) => {
    expect(parsed(`a date:${value}`)).toEqual({
      plain: "a",
      fields: [{ field: "date", from, before, isExcluded: false }],
    });
  });

  test.each([
    "date:yesterday",
    "date:2026-13",
    "date:2026-02-30",
    "date:..",
    "date:1..2..3",
    "date:>",
    "type:safety",
    "size:3",
    '"not closed',
    '-"not closed',
    "a:b",
  ])("that is malformed is words: %s", (text) => {
    expect(parsed(`gate ${text}`)).toEqual({ plain: `gate ${text}` });
  });

  test("with empty parts is what is left of it", () => {
    expect(parsed('gate "" -"" "  "')).toEqual({ plain: "gate" });
    expect(parsed("file: gate")).toEqual({ plain: "file: gate" });
    expect(parsed('gate file:""')).toEqual({ plain: "gate" });
  });

  test("never fails, whatever was typed", () => {
    const piece = fc.oneof(
      fc.constantFrom('"', "“", "„", "«", "-", "file:", "date:", "type:", "..", ">", "2026-", " ", "pdf", "\ud800"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { plain, phrases, excluded } = parseQuery(pieces.join(""));
        for (const text of [plain, ...phrases, ...excluded]) expect(typeof text).toBe("string");
        for (const phrase of phrases) expect(plain).toContain(phrase);
      }),
    );
  });
});

test("a document is of a type by its format, its program or its ending", () => {
  expect(isOfType("markdown", "markdown", "a.md")).toBe(true);
  expect(isOfType("md", "markdown", "A.MD")).toBe(true);
  expect(isOfType("word", "docx", "a.docx")).toBe(true);
  expect(isOfType("word", "pdf", "a.word.pdf")).toBe(false);
  expect(isOfType("py", "code", "a.ts")).toBe(false);
  expect(isOfType("code", "code", "a.ts")).toBe(true);
});
