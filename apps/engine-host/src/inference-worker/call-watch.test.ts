import { describe, expect, it } from "vitest";
import { CallWatch } from "./call-watch.ts";

/** Writes a text in pieces; the first call that begins ends it. */
function watch(pieces: string[], isAllowed = true) {
  const watching = new CallWatch(() => isAllowed);
  let text = "";
  for (const piece of pieces) {
    const read = watching.push(piece);
    text += read.text;
    if (read.call) return { text, written: read.call.written, start: read.call.start };
  }
  return { text: text + watching.end(), written: null, start: null };
}

const letters = (text: string) => [...text];

describe("the watch for calls", () => {
  it("notices a call at the beginning, whatever its white space, and lets nothing of it through", () => {
    for (const call of [
      '{"name": "f',
      '{ "name":',
      '\n {\n  "name"',
      '[{"name"',
      '[ { "name": "',
      '{"type": "function", "name"',
    ]) {
      for (const pieces of [[call], letters(call)]) {
        const { text, written } = watch(pieces);
        expect(text).toBe("");
        expect(call.trimStart().startsWith(written ?? "none")).toBe(true);
      }
    }
  });

  it("notices one after text, on a line of its own", () => {
    const { text, written } = watch(letters('I will look that up.\n\n{"name": "search"'));
    expect(text).toBe("I will look that up.\n");
    expect(written).toBe('{"name"');
  });

  it("takes no other braces for a call", () => {
    for (const other of [
      '{"names": 1}',
      '{"a": {"name": 1}}',
      'see {"name": "x"}',
      "{}",
      "[1]",
      '{"name',
      "[ {",
      '{"type": "object"}',
    ]) {
      expect(watch(letters(other))).toEqual({ text: other, written: null, start: null });
    }
  });

  it("leaves quoted code alone, and goes on behind it", () => {
    const example = 'So:\n```json\n{"name": "f"}\n```\nDone.\n';
    expect(watch(letters(example)).text).toBe(example);
    expect(watch(letters(`${example}{"name": "f"`)).written).toBe('{"name"');
  });

  it("lets through what begins like a call of a tool that is not offered", () => {
    expect(watch(letters('{"name": "x"}'), false).text).toBe('{"name": "x"}');
  });
});
