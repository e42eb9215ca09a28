import { describe, expect, it } from "vitest";
import { JsonCallReader, TaggedCallReader, type CallReader } from "./call-reader.ts";

/** @returns the calls, and after how many characters each was complete */
function read(reader: CallReader, text: string) {
  const calls: { name: string; arguments: unknown; after: number }[] = [];
  const take = (found: { name: string; arguments: string }[], after: number) => {
    for (const call of found) calls.push({ name: call.name, arguments: JSON.parse(call.arguments) as unknown, after });
  };
  let at = 0;
  for (; at < text.length && !reader.isComplete; at++) take(reader.push(text[at] ?? ""), at + 1);
  if (!reader.isComplete) take(reader.end(), at);
  return calls;
}

describe("calls in JSON", () => {
  it("are complete with their last brace, whatever stands in their texts", () => {
    const text = '{"name": "f", "parameters": {"a": "}]{[\\"\\\\", "b": {"c": []}}}';
    expect(read(new JsonCallReader(), text)).toEqual([
      { name: "f", arguments: { a: '}]{["\\', b: { c: [] } }, after: text.length },
    ]);
  });

  it("come one by one out of a list", () => {
    const first = '[{"name": "f", "parameters": {"list": [{}]}}';
    const whole = `${first}, {"name": "g", "parameters": {}}]`;
    expect(read(new JsonCallReader(), whole)).toEqual([
      { name: "f", arguments: { list: [{}] }, after: first.length },
      { name: "g", arguments: {}, after: whole.length - 1 },
    ]);
  });

  it("have ids that differ", () => {
    const ids = new JsonCallReader()
      .push('[{"name":"f","parameters":{}},{"name":"f","parameters":{}}]')
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^call_[0-9a-f]{24}$/);
  });

  it("that are cut short are none", () => {
    expect(read(new JsonCallReader(), '{"name": "f", "parameters": {"a": 1}')).toEqual([]);
  });
});

describe("calls behind the python tag", () => {
  const search = new Map([["brave_search", "query"]]);
  const code = new Map([
    ["brave_search", "query"],
    ["code_interpreter", "code"],
  ]);

  it("of a built-in tool have one argument", () => {
    const text = 'brave_search.call(query="gold \\"today\\" \\\\ 1oz")';
    expect(read(new TaggedCallReader(search, []), text)).toEqual([
      { name: "brave_search", arguments: { query: 'gold "today" \\ 1oz' }, after: text.length },
    ]);
  });

  it("may be in JSON", () => {
    expect(read(new TaggedCallReader(search, ["f"]), '{"name": "f", "parameters": {}}')).toMatchObject([{ name: "f" }]);
  });

  it("are code where there is a code interpreter, unless they are another call in every way", () => {
    const read2 = (text: string) => read(new TaggedCallReader(code, ["f"]), text);
    expect(read2("print(1)\n")).toMatchObject([{ name: "code_interpreter", arguments: { code: "print(1)\n" } }]);
    expect(read2('brave_search.call(query="x")')).toMatchObject([{ name: "brave_search", arguments: { query: "x" } }]);
    expect(read2('{"name": "f", "parameters": {"a": 1}}')).toMatchObject([{ name: "f", arguments: { a: 1 } }]);
    expect(read2('{"name": "other", "parameters": {}}')).toMatchObject([{ name: "code_interpreter" }]);
    expect(read2("  ")).toEqual([]);
  });
});
