import type { LlamaModel, Token } from "node-llama-cpp";
import { describe, expect, it } from "vitest";
import { ReplyText } from "./reply-text.ts";

/** A tokenizer whose tokens are bytes, or several: the hardest case for putting characters together. */
function byteModel(pieces: Uint8Array[]): LlamaModel {
  const detokenize = (tokens: readonly Token[]) => {
    const bytes = tokens.flatMap((token) => [...(pieces[token] ?? [])]);
    return new TextDecoder().decode(Uint8Array.from(bytes));
  };
  return { detokenize } as unknown as LlamaModel;
}

function write(bytes: Uint8Array, cuts: number[], stopTexts: string[] = []) {
  const edges = [0, ...cuts, bytes.length];
  const pieces = edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
  const text = new ReplyText(byteModel(pieces), stopTexts);
  const out: string[] = [];
  for (let token = 0; token < pieces.length && !text.stopped; token++) out.push(text.push(token as Token));
  out.push(text.end());
  return { out, text };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("ReplyText", () => {
  it("puts characters together from single bytes and never gives out half of one", () => {
    const words = "aé€😀ü日本語👩‍👩‍👧 end";
    const bytes = bytesOf(words);
    const { out } = write(bytes, [...bytes.keys()].slice(1));
    expect(out.join("")).toBe(words);
    expect(out.join("")).not.toContain("\uFFFD");
    expect(out.every((piece) => !piece.includes("\uFFFD"))).toBe(true);
  });

  it("puts them together however the bytes are cut", () => {
    const words = "x€😀日本y";
    const bytes = bytesOf(words);
    for (let first = 1; first < bytes.length - 1; first++) {
      for (let second = first + 1; second < bytes.length; second++) {
        expect(write(bytes, [first, second]).out.join("")).toBe(words);
      }
    }
  });

  it("gives out text as soon as it is certain", () => {
    expect(write(bytesOf("ab😀c"), [1, 2, 4, 6]).out).toEqual(["a", "b", "", "😀", "c", ""]);
  });

  it("drops an unfinished character at the end and keeps a real U+FFFD inside", () => {
    expect(write(bytesOf("ab€").slice(0, 4), [1, 2, 3]).out.join("")).toBe("ab");
    expect(write(bytesOf("a\uFFFDb"), [4]).out.join("")).toBe("a\uFFFDb");
  });

  it("ends before a stop text, and holds back only what may begin one", () => {
    const { out, text } = write(bytesOf("Hello <|end|> more"), [6, 8, 11, 13], ["<|end|>"]);
    expect(text.stopped).toBe(true);
    expect(out.join("")).toBe("Hello ");
    expect(out[0]).toBe("Hello ");
    const almost = write(bytesOf("a <|en joy"), [3, 6], ["<|end|>"]);
    expect(almost.text.stopped).toBe(false);
    expect(almost.out).toEqual(["a ", "", "<|en joy", ""]);
    expect(write(bytesOf("a <|"), [3], ["<|end|>"]).out.join("")).toBe("a <|");
  });
});
