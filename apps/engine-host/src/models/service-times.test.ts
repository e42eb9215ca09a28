import { expect, it } from "vitest";
import { AdmissionQueue, type Admission } from "./admission-queue.ts";
import { expectedStarts, ServiceTimes } from "./service-times.ts";

const request = (given: Partial<Admission> = {}): Admission => ({
  user: "a",
  priority: "interactive",
  weight: 1,
  tokens: 1000,
  cost: 1000,
  concurrent: Infinity,
  ...given,
});

it("expects what was measured, and nothing before", () => {
  const times = new ServiceTimes();
  expect(times.durationMs(100, 100)).toBeNull();
  expect(times.writtenTokens(100)).toBe(100);
  times.note({ promptTokens: 1000, cachedTokens: 0, completionTokens: 101, prefillMs: 500, decodeMs: 2000 });
  expect(times.durationMs(100, 1000)).toBe(50 + 101 * 20);
  expect(times.durationMs(100, 10)).toBe(50 + 10 * 20);
  expect(times.tokensPerSecond).toEqual({ prefill: 2000, decode: 50 });
  for (let reply = 0; reply < 50; reply++) {
    times.note({ promptTokens: 1000, cachedTokens: 0, completionTokens: 11, prefillMs: 100, decodeMs: 100 });
  }
  expect(times.durationMs(100, 1000)).toBeCloseTo(10 + 11 * 10, -1);
});

it("plays the queue through: the slot that is free first, of those that are large enough", () => {
  const queue = new AdmissionQueue([
    { contextSize: 8192, count: 1 },
    { contextSize: 2048, count: 1 },
  ]);
  for (const tokens of [8000, 1000]) queue.enqueue(request({ user: `${tokens}`, tokens }), 0);
  while (queue.admitNext(0));
  for (const tokens of [1000, 8000, 1000]) queue.enqueue(request({ user: "later", tokens }), 1000);
  // The large one takes 10 s, the small ones 4 s.
  const starts = expectedStarts(queue, 1000, ({ tokens }) => (tokens > 2048 ? 10_000 : 4000));
  expect(starts).toEqual([3000, 9000, 7000, 11_000]);
});

it("expects one who is overdue to take a little longer, never to be gone", () => {
  const queue = new AdmissionQueue([{ contextSize: 8192, count: 1 }]);
  queue.enqueue(request(), 0);
  queue.admitNext(0);
  queue.enqueue(request(), 0);
  expect(expectedStarts(queue, 20_000, () => 1000)?.[0]).toBe(2000);
  expect(expectedStarts(queue, 20_000, () => null)).toBeNull();
});
