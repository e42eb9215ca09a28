import fc from "fast-check";
import { expect, test } from "vitest";
import { fuse } from "./fuse.ts";

test("scores are sums of weight / (60 + rank)", () => {
  const fused = fuse([
    { ids: ["a", "b", "c"], weight: 1 },
    { ids: ["c", "a"], weight: 2 },
  ]);
  expect(fused).toEqual([
    { id: "c", score: 1 / 63 + 2 / 61 },
    { id: "a", score: 1 / 61 + 2 / 62 },
    { id: "b", score: 1 / 62 },
  ]);
});

test("equal scores keep the order of the first ranking", () => {
  const fused = fuse([
    { ids: ["a", "b"], weight: 1 },
    { ids: ["b", "a"], weight: 1 },
  ]);
  expect(fused.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("what is first in every ranking is first, and every id appears once", () => {
  const ranking = fc.uniqueArray(fc.stringMatching(/^[a-f]{2}$/), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(ranking, { minLength: 1, maxLength: 4 }), (others) => {
      const rankings = others.map((ids) => ({ ids: ["best", ...ids], weight: 1 }));
      const fused = fuse(rankings);
      expect(fused[0]!.id).toBe("best");
      expect(fused.map(({ id }) => id).sort()).toEqual([...new Set(rankings.flatMap(({ ids }) => ids))].sort());
      for (const [i, { score }] of fused.slice(1).entries()) expect(score).toBeLessThanOrEqual(fused[i]!.score);
    }),
  );
});
