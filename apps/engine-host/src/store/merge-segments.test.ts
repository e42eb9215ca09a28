import { expect, test } from "vitest";
import { worthMerging } from "./merge-segments.ts";

const sized = (...chunks: number[]) => chunks.map((count, id) => ({ id, chunks: count, deleted: 0 }));
const chosen = (...chunks: number[]) => worthMerging(sized(...chunks))?.map(({ chunks: count }) => count) ?? null;

test("eight neighbours of one level are merged, the smallest level first", () => {
  expect(chosen(1, 1, 1, 1, 1, 1, 1)).toBeNull();
  expect(chosen(1, 1, 1, 1, 1, 1, 1, 1)).toHaveLength(8);
  expect(chosen(64, 64, 64, 64, 64, 64, 64, 64, 1, 1, 1, 1, 1, 1, 1, 2)).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
  expect(chosen(8, 8, 8, 8, 64, 8, 8, 8, 8)).toBeNull();
});

test("a smaller one between goes with them, one at the end waits", () => {
  expect(chosen(8, 8, 8, 8, 1, 8, 8, 8, 8, 1)).toEqual([8, 8, 8, 8, 1, 8, 8, 8, 8]);
});

test("no merge is larger than 131,072 chunks", () => {
  expect(chosen(40_000, 40_000, 40_000)).toBeNull();
  expect(chosen(40_000, 40_000, 40_000, 40_000)).toEqual([40_000, 40_000, 40_000]);
  expect(chosen(120_000, 40_000, 40_000, 40_000, 40_000)).toEqual([40_000, 40_000, 40_000]);
  expect(chosen(120_000, 120_000, 40_000, 120_000)).toBeNull();
});

test("one of mostly deleted chunks is written anew", () => {
  expect(worthMerging([{ id: 1, chunks: 100, deleted: 50 }])).toBeNull();
  const hollow = { id: 2, chunks: 100, deleted: 51 };
  expect(worthMerging([{ id: 1, chunks: 100, deleted: 50 }, hollow])).toEqual([hollow]);
});
