import { expect, test } from "vitest";
import { prepareMaths } from "./prepare-maths.ts";

test.each([
  ["inline brackets", "a \\(x^2\\) b", "a $x^2$ b"],
  ["inline dollars", "a $x^2$ b", "a $x^2$ b"],
  ["display brackets on their own line", "\\[x\\]", "$$\nx\n$$"],
  ["display dollars on one line", "$$x = 1$$", "$$\nx = 1\n$$"],
  ["display in a list keeps its indentation", "- $$x$$", "- $$\n  x\n  $$"],
  ["display within a sentence", "so \\[x\\] holds", "so $\\displaystyle x$ holds"],
  ["two prices", "from $5 to $10", "from \\$5 to \\$10"],
  ["a price range", "$5-$10", "\\$5-\\$10"],
  ["a price and a formula", "$20 for $x$", "\\$20 for $x$"],
  ["a lone dollar", "cost in $", "cost in \\$"],
  ["inline code", "`a $x$ \\(b\\)`", "`a $x$ \\(b\\)`"],
  ["a code fence", "```sh\necho $HOME $$\n```\n$x$", "```sh\necho $HOME $$\n```\n$x$"],
  ["an open code fence", "```sh\necho $HOME", "```sh\necho $HOME"],
  ["an escaped dollar", "\\$5 and $x$", "\\$5 and $x$"],
  ["an escaped citation", "so it is \\[2\\].", "so it is [2]."],
  ["an unclosed bracket", "a \\(x", "a \\(x"],
  ["unclosed display dollars", "a $$x", "a \\$\\$x"],
  ["nothing to do", "plain", "plain"],
])("%s", (_name, text, expected) => {
  expect(prepareMaths(text, false)).toBe(expected);
});

test("while streaming an unfinished display formula is held back", () => {
  expect(prepareMaths("So:\n\n$$\\frac{1", true)).toBe("So:\n\n");
  expect(prepareMaths("So:\n\n\\[\\frac{1", true)).toBe("So:\n\n");
  expect(prepareMaths("So:\n\n$$\\frac{1}{2}$$", true)).toBe("So:\n\n$$\n\\frac{1}{2}\n$$");
});

test.each(["$", "\\(", "\\[", "`", "``` ", "$$ ", "`a``b```c", "$a ", "\\)", "~"])(
  "100,000 characters of %s take no longer than their length asks",
  (piece) => {
    const text = piece.repeat(100_000 / piece.length);
    // A quadratic scan would run into the test's own time limit.
    expect(prepareMaths(text, false).length).toBeGreaterThan(0);
  },
);
