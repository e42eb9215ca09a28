import { describe, expect, it } from "vitest";
import { alternativesGrammar } from "./alternatives-grammar.ts";

describe("alternativesGrammar", () => {
  it("writes each alternative once, as a literal", () => {
    expect(alternativesGrammar(["a", "b", "a"])).toBe('root ::= "a" | "b"');
  });

  it("escapes what GBNF gives a meaning, and control characters", () => {
    expect(alternativesGrammar(['"\\\n\r\t\u0007\u0085'])).toBe('root ::= "\\"\\\\\\n\\r\\t\\x07\\x85"');
    expect(alternativesGrammar(["[1] ::= | (x)* é 😀 <|eot_id|>"])).toBe('root ::= "[1] ::= | (x)* é 😀 <|eot_id|>"');
  });

  it("replaces half of a surrogate pair as UTF-8 does", () => {
    expect(alternativesGrammar(["a\ud83d"])).toBe('root ::= "a\uFFFD"');
  });

  it("refuses an empty list and NUL", () => {
    expect(() => alternativesGrammar([])).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => alternativesGrammar(["a\0"])).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
