import { expect, test } from "vitest";
import { spokenSentences } from "./spoken-sentences.ts";

/** Feeds a text in pieces, as it streams, and collects what is read out. */
function read(pieces: string[], language = "en"): string[] {
  let text = "";
  let from = 0;
  const heard: string[] = [];
  pieces.forEach((piece, index) => {
    text += piece;
    const { spoken, upTo } = spokenSentences(text, from, index === pieces.length - 1, language);
    from = upTo;
    if (spoken) heard.push(spoken);
  });
  return heard;
}

test("each sentence is read out once, when it is whole", () => {
  expect(read(["The rent is ", "900 francs. It ", "is due on the first. ", "So", " there"])).toEqual([
    "The rent is 900 francs.",
    "It is due on the first.",
    "So there",
  ]);
});

test("a full stop at the end of what has arrived may still be the start of a number", () => {
  expect(read(["It costs 3.", "50 francs. Yes."])).toEqual(["It costs 3.50 francs. Yes."]);
});

test("signs of Markdown and source numbers are not read out", () => {
  expect(read(["## Rent\n\n- **900** francs [1].\n- `late` fees [2], see [terms](https://x.y).\n"])).toEqual([
    "Rent 900 francs. late fees, see terms.",
  ]);
});

test("works without spaces between sentences", () => {
  expect(read(["家賃は九百です。支払いは", "月初です。"], "ja")).toEqual(["家賃は九百です。", "支払いは月初です。"]);
});
