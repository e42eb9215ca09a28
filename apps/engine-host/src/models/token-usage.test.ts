import { expect, it } from "vitest";
import { TokenUsage } from "./token-usage.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

it("lets a user go on until the tokens of a minute are used up, and again as they leave the minute", () => {
  const usage = new TokenUsage();
  const limits = { tokensPerMinute: 100, tokensPerDay: null };
  usage.note("a", 60, 500);
  expect(usage.exhausted("a", limits, 500)).toBeNull();
  usage.note("a", 40, 30_000);
  expect(usage.exhausted("a", limits, 30_000)).toEqual({ limit: "tokens-per-minute", retryAfterMs: 30_000 });
  expect(usage.exhausted("a", limits, 60_000)).toBeNull();
  expect(usage.exhausted("b", limits, 30_000)).toBeNull();
});

it("tells the time after which enough has left, not merely something", () => {
  const usage = new TokenUsage();
  usage.note("a", 10, 0);
  usage.note("a", 200, 20_000);
  expect(usage.exhausted("a", { tokensPerMinute: 100, tokensPerDay: null }, 20_000)?.retryAfterMs).toBe(60_000);
});

it("counts a day apart, and nothing where there is no limit", () => {
  const usage = new TokenUsage();
  for (let hour = 0; hour < 10; hour++) usage.note("a", 100, hour * 60 * minute);
  const now = 10 * 60 * minute;
  expect(usage.exhausted("a", { tokensPerMinute: 50, tokensPerDay: 1000 }, now)).toEqual({
    limit: "tokens-per-day",
    retryAfterMs: day - now,
  });
  expect(usage.exhausted("a", { tokensPerMinute: 50, tokensPerDay: 1001 }, now)).toBeNull();
  expect(usage.exhausted("a", { tokensPerMinute: null, tokensPerDay: null }, now)).toBeNull();
});

it("gives back what was noted too high", () => {
  const usage = new TokenUsage();
  usage.note("a", 1000, 0);
  usage.note("a", -950, 1000);
  expect(usage.exhausted("a", { tokensPerMinute: 100, tokensPerDay: null }, 1000)).toBeNull();
});
