import { describe, expect, it } from "vitest";
import type { PageContent, PageTable } from "../store/store.ts";
import { findQuote, locateQuote } from "./locate-quote.ts";
import { samplePassage } from "./testing/sample-message.ts";

function pagesOf(...texts: string[]): PageTable {
  return {
    get: async (_document, page): Promise<PageContent | null> => {
      const text = texts[page - 1];
      return text === undefined ? null : { page, text, width: null, height: null, lines: [] };
    },
  };
}

describe("findQuote", () => {
  const found = (quote: string, text: string) => {
    const at = findQuote(quote, text);
    return at && text.slice(at.start, at.end);
  };

  it("finds a quote across line breaks, hyphenation and curly quotation marks", () => {
    const text = "Rules. The “north”  gate\ncloses for visi-\ntors at 18:30 – sharp. End.";
    expect(found('The "north" gate closes for visitors at 18:30 - sharp.', text)).toBe(
      "The “north”  gate\ncloses for visi-\ntors at 18:30 – sharp.",
    );
  });

  it("reads ligatures and full-width signs as their plain twins", () => {
    expect(found("the office [3]", "At the oﬃce ［3］ now")).toBe("the oﬃce ［3］");
    expect(found("Cafe\u0301 opens", "The Café opens late")).toBe("Café opens");
  });

  it("does not find what is worded otherwise", () => {
    expect(found("The gate opens at 18:30", "The gate closes at 18:30")).toBeNull();
    expect(found("   ", "anything")).toBeNull();
  });
});

describe("locateQuote", () => {
  it("answers the stretch of the page, not the passage's whole span", async () => {
    const page = "Opening hours\nThe gate closes\nat 18:30 in winter. Dogs stay outside.";
    const passage = samplePassage("The gate closes at 18:30 in winter. Dogs stay outside.", {
      spans: [{ page: 1, start: 14, end: page.length }],
    });
    const [span] = await locateQuote("The gate closes at 18:30 in winter.", passage, pagesOf(page));
    expect(page.slice(span!.start, span!.end)).toBe("The gate closes\nat 18:30 in winter.");
  });

  it("spans two pages when the sentence does", async () => {
    const [first, second] = ["Visitors sign the green", "book at the gate. They leave by six."];
    const passage = samplePassage("Visitors sign the green book at the gate. They leave by six.", {
      spans: [
        { page: 1, start: 0, end: first.length },
        { page: 2, start: 0, end: second.length },
      ],
    });
    expect(await locateQuote("sign the green book at the gate.", passage, pagesOf(first, second))).toEqual([
      { page: 1, start: 9, end: 23 },
      { page: 2, start: 0, end: 17 },
    ]);
  });

  it("falls back to the passage when the page is gone", async () => {
    const passage = samplePassage("The gate closes at six.");
    expect(await locateQuote("closes at six", passage, pagesOf())).toEqual(passage.spans);
  });
});
