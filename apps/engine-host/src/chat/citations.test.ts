import { describe, expect, it } from "vitest";
import type { Citation, SearchHit } from "@corral/protocol";
import { CitationBinder, withoutMarkers, type CitablePassage } from "./citations.ts";
import { samplePassage } from "./testing/sample-message.ts";

const gate = samplePassage("Visitors sign the green book. The “north” gate closes\nat 18:30 in winter. It is locked.", {
  chunkId: "gate",
});
const dogs = samplePassage("Dogs wait outside. Cats may come in.", {
  chunkId: "dogs",
  document: "animals.md",
  page: null,
});
const whole = (hit: SearchHit): CitablePassage => ({ hit, shown: null });

/** A store that has each passage as the text of its page. */
const store = {
  index: { idf: async (terms: string[]) => terms.map(() => 3) } as never,
  pages: {
    get: async () => ({ page: 1, text: gate.text, width: null, height: null, lines: [] }),
  },
};

/** The citations of an answer that arrives in these pieces, each with the piece that completed it. */
async function bind(pieces: string[], passages = [whole(gate), whole(dogs)], question = "When does the gate close?") {
  const binder = new CitationBinder(passages, question, store);
  const bound: (Citation & { piece: number })[] = [];
  for (const [piece, text] of pieces.entries())
    for (const citation of await binder.push(text)) bound.push({ ...citation, piece });
  return bound;
}

describe("binding citations while an answer is written", () => {
  it("cites each number once, when it first appears, also cut in two by the stream", async () => {
    const bound = await bind(["The north gate closes [", "1", "]. Dogs wait outside [2]. It is", " locked [1]."]);
    expect(bound.map(({ number, piece, document, page }) => ({ number, piece, document, page }))).toEqual([
      { number: 1, piece: 2, document: "guide.pdf", page: 1 },
      { number: 2, piece: 2, document: "animals.md", page: null },
    ]);
  });

  it("calls a sentence verbatim when the passage has it, line breaks and quotation marks aside, and says where", async () => {
    const [citation] = await bind(['The "north" gate closes at 18:30 in winter. [1]']);
    expect(citation).toMatchObject({ support: "verbatim", quote: "The “north” gate closes at 18:30 in winter" });
    const [span] = citation!.spans;
    expect(gate.text.slice(span!.start, span!.end)).toBe("The “north” gate closes\nat 18:30 in winter");
  });

  it("judges only the sentence that carries the number", async () => {
    const [citation] = await bind(["Made up altogether. Then:\n- **Visitors sign the green book** [1]"]);
    expect(citation).toMatchObject({ support: "verbatim", quote: "Visitors sign the green book" });
  });

  it("calls anything else a paraphrase and quotes the passage's best evidence", async () => {
    const [citation] = await bind(["In winter you must be out by half past six, when the gate closes [1]."]);
    expect(citation).toMatchObject({
      support: "paraphrase",
      quote: "The “north” gate closes at 18:30 in winter.",
      spans: [{ page: 1, start: 30, end: 73 }],
    });
  });

  it("does not call a word that stands everywhere verbatim", async () => {
    expect((await bind(["It [1]."]))[0]).toMatchObject({ support: "paraphrase" });
  });

  it("says so where the passage does not support the sentence: another number, or another matter", async () => {
    const late = await bind(["The north gate closes at 19:45 in winter [1]."]);
    expect(late).toMatchObject([{ support: "unsupported", statement: "The north gate closes at 19:45 in winter" }]);
    const other = await bind(["The director retired after a quarrel over pensions [1]."]);
    expect(other).toMatchObject([{ support: "unsupported" }]);
    const german = await bind(["Der nördliche Eingang für Besucher schließt im Winter am Abend schon recht früh [1]."]);
    expect(german).toMatchObject([{ support: "paraphrase" }]);
  });

  it("checks each sentence that carries the number, and gives the citation again when a later one is not supported", async () => {
    const bound = await bind(["Dogs wait outside [2]. ", "Rabbits receive a discount [2]. Dogs wait outside [2]."]);
    expect(bound).toMatchObject([
      { number: 2, support: "verbatim", piece: 0 },
      { number: 2, support: "unsupported", statement: "Rabbits receive a discount", piece: 1 },
    ]);
    expect(bound[1]!.quote).toBe(bound[0]!.quote);
  });

  it("checks a statement that follows its number once it is complete", async () => {
    const binder = new CitationBinder([whole(gate)], "When?", store);
    expect(await binder.push("[1] says that rabbits receive")).toMatchObject([{ support: "paraphrase" }]);
    expect(await binder.push(" a discount")).toEqual([]);
    expect(await binder.finish()).toMatchObject([{ number: 1, support: "unsupported" }]);
  });

  it("keeps a quoted sentence whole that looks like two", async () => {
    const shown = "It stands on p. Lindner's land, see ch. 4. Always.";
    const [citation] = await bind([`${shown} [1]`], [{ hit: samplePassage(`First. ${shown} Last.`), shown }]);
    expect(citation).toMatchObject({ support: "verbatim", quote: shown });
  });

  it("reads lists of numbers", async () => {
    expect((await bind(["Dogs wait and the gate closes [1, 2]."])).map(({ number }) => number)).toEqual([1, 2]);
  });

  it("takes no number without a passage, and nothing in code, for a citation", async () => {
    expect(await bind(["See [3], [0] and [99999].\n```js\nlist[1]\n", "```\n and `list[2]` too."])).toEqual([]);
    expect(await bind(["```\ncode\n```\nDogs wait outside [2]."])).toHaveLength(1);
  });

  it("stays quick on an answer full of brackets", async () => {
    expect(await bind(["[".repeat(50_000), "[1,".repeat(20_000), "]"])).toHaveLength(0);
    expect(await bind(["```\n", "[1] ".repeat(100_000), "\n```\n[2]"])).toHaveLength(1);
    expect(await bind(["[9] ".repeat(100_000), "x [9]\n".repeat(20_000)])).toHaveLength(0);
  });
});

it("takes markers out of an answer, lists too", () => {
  expect(withoutMarkers("The gate [1] closes [2, 3]. See list[i].")).toBe("The gate closes. See list[i].");
});
