import { expect, test } from "vitest";
import { splitBlocks } from "./split-blocks.ts";

test("paragraphs, headings and fences are blocks of their own", () => {
  expect(splitBlocks("# One\n\nTwo\nthree\n\n```js\na\n\nb\n```\n\nFour")).toEqual([
    "# One\n",
    "Two\nthree\n",
    "```js\na\n\nb\n```\n",
    "Four",
  ]);
});

test.each([
  ["a list with blank lines between its items", "1. one\n\n2. two\n\n   more of two\n\n3. three"],
  ["a fence in a list", "- one\n\n  ```\n  a\n\n  b\n  ```"],
  ["an open fence", "```\na\n\nb\n\nc"],
  ["a longer fence around a shorter one", "````md\n```\n\nx\n```\n\ny\n````"],
  ["a tilde fence", "~~~\na\n\n```\n\nb\n~~~"],
  ["display maths with blank lines", "$$\na\n\nb\n$$"],
  ["bracket maths with blank lines", "\\[\na\n\nb\n\\]"],
  ["a text with link definitions", "See [a].\n\nMore.\n\n[a]: https://example.org"],
  ["a text with footnotes", "See[^1].\n\nMore.\n\n[^1]: Note"],
])("%s stays whole", (_name, text) => {
  expect(splitBlocks(text)).toEqual([text]);
});

test("nothing of the text is lost", () => {
  const text = "a\n\n- b\n- c\n\nd\n\n\n\n```\ne\n```\nf\n\n> g\n\n| h |\n|---|\n| i |\n";
  const words = (value: string) => value.replace(/\s+/g, " ").trim();
  expect(words(splitBlocks(text).join("\n"))).toBe(words(text));
});

test("blocks that are finished do not change when text is added", () => {
  const text = "# A\n\nOne **two**\n\n- a\n- b\n\nThree\n\n```js\nx\n\ny\n```\n\nEnd of it";
  let before: string[] = [];
  for (let length = 1; length <= text.length; length++) {
    const now = splitBlocks(text.slice(0, length));
    const settled = before.slice(0, -1);
    expect(now.slice(0, settled.length)).toEqual(settled);
    before = now;
  }
});

test("no blocks of nothing", () => {
  expect(splitBlocks("")).toEqual([]);
  expect(splitBlocks("\n\n \n")).toEqual([]);
});
