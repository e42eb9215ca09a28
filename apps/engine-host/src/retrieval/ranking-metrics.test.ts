import { describe, expect, test } from "vitest";
import { ndcg, percentile, recall } from "./ranking-metrics.ts";

describe("nDCG", () => {
  test("is 1 for the best order, whatever follows", () => {
    const gains = new Map([
      ["a", 3],
      ["b", 2],
      ["c", 0],
    ]);
    expect(ndcg(["a", "b", "x", "c"], gains, 10)).toBe(1);
  });

  test("a lone relevant document counts by its place: 1 / log2(place + 1)", () => {
    const gains = new Map([["a", 1]]);
    expect(ndcg(["a"], gains, 10)).toBe(1);
    expect(ndcg(["x", "a"], gains, 10)).toBeCloseTo(0.6309, 4);
    expect(ndcg(["x", "y", "a"], gains, 10)).toBeCloseTo(0.5, 10);
    expect(ndcg([..."123456789", "a"], gains, 10)).toBeCloseTo(0.2891, 4);
    expect(ndcg([..."0123456789", "a"], gains, 10)).toBe(0);
  });

  test("the textbook example: gains 3 2 3 0 1 2 give 0.961", () => {
    const given = [3, 2, 3, 0, 1, 2];
    const gains = new Map(given.map((gain, i) => [`d${i}`, gain]));
    expect(
      ndcg(
        given.map((_, i) => `d${i}`),
        gains,
        6,
      ),
    ).toBeCloseTo(0.9608, 4);
  });

  test("judgements of 0 and below are no gain, and no loss", () => {
    expect(
      ndcg(
        ["a", "b"],
        new Map([
          ["a", -1],
          ["b", 1],
        ]),
        10,
      ),
    ).toBeCloseTo(0.6309, 4);
    expect(ndcg(["a"], new Map([["a", 0]]), 10)).toBe(0);
    expect(ndcg([], new Map([["a", 1]]), 10)).toBe(0);
  });

  test("more relevant documents than places still allow a full score", () => {
    const gains = new Map(Array.from({ length: 20 }, (_, i) => [`d${i}`, 1]));
    expect(ndcg([...gains.keys()], gains, 10)).toBeCloseTo(1, 12);
  });
});

test("recall is the share of the relevant documents found", () => {
  const gains = new Map([
    ["a", 1],
    ["b", 2],
    ["c", 1],
    ["d", 1],
    ["e", 0],
  ]);
  expect(recall(["e", "a", "x", "b"], gains, 5)).toBe(0.5);
  expect(recall(["e", "a", "x", "b"], gains, 3)).toBe(0.25);
  expect(recall(["e"], new Map([["e", 0]]), 5)).toBe(0);
});

test("percentiles are values that were measured", () => {
  const values = [5, 1, 4, 2, 3];
  expect(percentile(values, 0.5)).toBe(3);
  expect(percentile(values, 0.95)).toBe(5);
  expect(percentile(values, 0)).toBe(1);
  expect(percentile([7], 0.5)).toBe(7);
  expect(percentile([], 0.5)).toBe(0);
});
