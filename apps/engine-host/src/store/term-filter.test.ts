import { expect, test } from "vitest";
import { hashOf } from "./posting-blocks.ts";
import { mayHold, TermFilterWriter } from "./term-filter.ts";

test("a filter knows every term that was added, and few others", () => {
  const writer = new TermFilterWriter();
  for (let i = 0; i < 5000; i++) writer.add(hashOf(`term${i}`));
  const filter = writer.take();
  expect(filter.length).toBe(6250);
  for (let i = 0; i < 5000; i++) expect(mayHold(filter, hashOf(`term${i}`))).toBe(true);
  let passed = 0;
  for (let i = 0; i < 10_000; i++) if (mayHold(filter, hashOf(`other${i}`))) passed++;
  expect(passed).toBeLessThan(300);
});

test("an empty filter knows none", () => {
  expect(mayHold(new TermFilterWriter().take(), hashOf("term"))).toBe(false);
});
