import { expect, test } from "vitest";
import { latencyShare } from "./latency-share.ts";

const histogram = { boundsMs: [100, 500, 1000], counts: [5, 4, 0, 1], sumMs: 3000 };

test("a share of the observations lies within the bound of its range", () => {
  expect(latencyShare(histogram, 0.5)).toBe(100);
  expect(latencyShare(histogram, 0.9)).toBe(500);
  expect(latencyShare(histogram, 0.95)).toBe(Infinity);
  expect(latencyShare({ ...histogram, counts: [0, 0, 0, 0] }, 0.5)).toBeNull();
});
