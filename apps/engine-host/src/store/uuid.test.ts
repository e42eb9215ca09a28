import { expect, test } from "vitest";
import { uuidv7 } from "./uuid.ts";

test("ids are UUIDv7, unique, and sort in the order they were made", () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, uuidv7);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  const time = parseInt(ids[0]!.replace("-", "").slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});
