import { describe, expect, test } from "vitest";
import { parsePlainText } from "./plain-text.ts";

const kinds = (text: string) => parsePlainText(text).map(({ kind, text: block }) => [kind, block]);
const body = "The gate in the north wall is opened by the warden at dawn and closed when the lamps are lit. "
  .repeat(3)
  .trim();

describe("the first line of a plain text", () => {
  test.each([
    ["followed by a blank line", `Opening hours\n\n${body}`],
    ["followed by blank lines, after some", `\n \nOpening hours\n\n\n${body}`],
    ["followed at once by a much longer line", `Opening hours\n${body}`],
  ])("is its title: %s", (_, text) => {
    expect(kinds(text)).toEqual([
      ["heading", "Opening hours"],
      ["paragraph", body],
    ]);
  });

  test.each([
    ["a salutation", `Dear Anna,\n\n${body}`],
    ["all there is", "Opening hours"],
    ["longer than what follows", `Opening hours of the gate\n\nFive.`],
    ["one of several lines", `Summer: dawn to dusk\nWinter: nine to five\n\n${body}`],
    ["without a letter", `12.11.2026\n\n${body}`],
    ["as long as a paragraph", `${body}\n\n${body} ${body}`],
  ])("is text: %s", (_, text) => {
    expect(kinds(text).every(([kind]) => kind === "paragraph")).toBe(true);
    expect(
      kinds(text)
        .map(([, block]) => block)
        .join("\n\n"),
    ).toBe(text);
  });

  test("that is wrapped goes on as a paragraph", () => {
    const wrapped = body.match(/.{1,80}(?: |$)/g)!.map((line) => line.trim());
    expect(kinds(wrapped.join("\n"))).toEqual([["paragraph", body]]);
  });
});

test("nothing comes of nothing", () => expect(parsePlainText(" \n\n ")).toEqual([]));
