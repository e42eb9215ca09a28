import { expect, test } from "vitest";
import { visibleArguments, visibleText } from "./visible-text.ts";

test("arguments are laid out, in their order", () => {
  expect(visibleArguments('{"to":"anna","n":[1,2]}')).toBe('{\n  "to": "anna",\n  "n": [\n    1,\n    2\n  ]\n}');
  expect(visibleArguments("{broken")).toBe("{broken");
});

test("nothing is hidden in them", () => {
  // Right-to-left override, zero-width space, soft hyphen, tag letters, Hangul filler, escape.
  expect(visibleArguments(JSON.stringify({ to: "a\u202Eb\u200Bc\u00AD\u{E0041}\u3164" }))).toBe(
    '{\n  "to": "a\\u{202e}b\\u{200b}c\\u{ad}\\u{e0041}\\u{3164}"\n}',
  );
  expect(visibleText("a\u001b[2Jb\nc\td")).toBe("a\\u{1b}[2Jb\nc\td");
  expect(visibleText("Größe, ไทย, हिन्दी, 😀")).toBe("Größe, ไทย, हिन्दी, 😀");
});
