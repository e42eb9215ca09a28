import { describe, expect, it } from "vitest";
import type { TokenLogprob } from "../engines/engine.ts";
import { DeltaBuffer } from "./delta-buffer.ts";

const unused: TokenLogprob = { token: "<|unused_1|>", bytes: [], logprob: -1, top: [] };

describe("DeltaBuffer", () => {
  it("hands on log probabilities of tokens that gave no text, at the end at the latest", () => {
    const emitted: { text: string; tokens: number; logprobs: TokenLogprob[] }[] = [];
    {
      using deltas = new DeltaBuffer((text, tokens, logprobs) => emitted.push({ text, tokens, logprobs }));
      deltas.add("", 1, [unused]);
      deltas.add("a", 1, [unused]);
      deltas.add("", 1, [unused]);
      expect(emitted).toEqual([{ text: "a", tokens: 2, logprobs: [unused, unused] }]);
    }
    expect(emitted.slice(1)).toEqual([{ text: "", tokens: 1, logprobs: [unused] }]);
  });

  it("emits nothing where there was neither text nor log probability", () => {
    const emitted: string[] = [];
    {
      using deltas = new DeltaBuffer((text) => emitted.push(text));
      deltas.add("", 1);
    }
    expect(emitted).toEqual([]);
  });
});
