import type { BatchItem, Token } from "node-llama-cpp";
import { describe, expect, it } from "vitest";
import { BatchGathering, readingPriority } from "./batch-gathering.ts";

const item = (tokens: number, evaluationPriority: BatchItem["evaluationPriority"]): BatchItem => ({
  tokens: Array.from({ length: tokens }, (_, index) => index as Token),
  logits: [],
  evaluationPriority,
});
const reply = () => item(1, 5);
const prompt = (tokens: number) => item(tokens, readingPriority);
const sizes = (batch: { processAmount: number }[]) => batch.map(({ processAmount }) => processAmount);

describe("a batch", () => {
  it("waits for the replies in progress, but not for ever", () => {
    const gathering = new BatchGathering();
    gathering.begin();
    gathering.begin();
    expect(gathering.strategy({ items: [reply()], size: 128 })).toEqual([]);
    expect(sizes(gathering.strategy({ items: [reply(), reply()], size: 128 }))).toEqual([1, 1]);
    let turns = 0;
    while (gathering.strategy({ items: [reply()], size: 128 }).length === 0) turns++;
    expect(turns).toBeGreaterThan(3);
    gathering.end();
    expect(sizes(gathering.strategy({ items: [reply()], size: 128 }))).toEqual([1]);
  });

  it("holds every reply, then the shortest prompt, and never more than it may", () => {
    const gathering = new BatchGathering();
    const items = [prompt(100), reply(), prompt(30), reply()];
    const batch = gathering.strategy({ items, size: 64 });
    expect(batch.map((entry) => items.indexOf(entry.item))).toEqual([1, 3, 2, 0]);
    expect(sizes(batch)).toEqual([1, 1, 30, 32]);
    expect(sizes(gathering.strategy({ items: [reply(), reply(), reply(), prompt(5)], size: 3 }))).toEqual([1, 1, 1]);
  });
});
