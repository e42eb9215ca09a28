import type { LlamaModel, Token } from "node-llama-cpp";
import { describe, expect, it } from "vitest";
import { TokenText } from "./token-text.ts";

/** A tokenizer whose tokens are bytes, or several: the hardest case for putting characters together. */
function byteModel(pieces: Uint8Array[]): LlamaModel {
  const detokenize = (tokens: readonly Token[]) => {
    const bytes = tokens.flatMap((token) => [...(pieces[token] ?? [])]);
    return new TextDecoder().decode(Uint8Array.from(bytes));
  };
  return { detokenize } as unknown as LlamaModel;
}

function write(bytes: Uint8Array, cuts: number[]): string[] {
  const edges = [0, ...cuts, bytes.length];
  const pieces = edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
  const text = new TokenText(byteModel(pieces));
  return pieces.map((_, token) => text.push(token as Token));
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("the text of tokens", () => {
  it("is put together from single bytes, and never half a character", () => {
    const words = "aé€😀ü日本語👩‍👩‍👧 end";
    const bytes = bytesOf(words);
    const out = write(bytes, [...bytes.keys()].slice(1));
    expect(out.join("")).toBe(words);
    expect(out.every((piece) => !piece.includes("\uFFFD"))).toBe(true);
  });

  it("is the same however the bytes are cut", () => {
    const words = "x€😀日本y";
    const bytes = bytesOf(words);
    for (let first = 1; first < bytes.length - 1; first++) {
      for (let second = first + 1; second < bytes.length; second++) {
        expect(write(bytes, [first, second]).join("")).toBe(words);
      }
    }
  });

  it("is given out as soon as it is certain", () => {
    expect(write(bytesOf("ab😀c"), [1, 2, 4, 6])).toEqual(["a", "b", "", "😀", "c"]);
  });

  it("leaves out an unfinished character at the end and keeps a real U+FFFD inside", () => {
    expect(write(bytesOf("ab€").slice(0, 4), [1, 2, 3]).join("")).toBe("ab");
    expect(write(bytesOf("a\uFFFDb"), [4]).join("")).toBe("a\uFFFDb");
  });
});
