import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CalmPublishing } from "./calm-publishing.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("tells at once, then what changed once per interval, the last change included", async () => {
  const sent: string[] = [];
  using publishing = new CalmPublishing(
    async (id) => void sent.push(id),
    () => {},
  );
  await publishing.publish("a");
  expect(sent).toEqual(["a"]);
  for (let i = 0; i < 100; i++) await publishing.publish("a");
  await publishing.publish("b");
  expect(sent).toEqual(["a", "b"]);
  await vi.advanceTimersByTimeAsync(300);
  expect(sent).toEqual(["a", "b", "a"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(sent).toEqual(["a", "b", "a"]);
  await publishing.publish("a");
  expect(sent).toHaveLength(4);
});

test("a failure reaches the caller, or else the log; after disposal nothing is told", async () => {
  const failures: string[] = [];
  const send = vi.fn().mockRejectedValue(new Error("closed"));
  const publishing = new CalmPublishing(send, (event) => void failures.push(event));
  await expect(publishing.publish("a")).rejects.toThrow("closed");
  await publishing.publish("a");
  await vi.advanceTimersByTimeAsync(300);
  expect(failures).toEqual(["telling of a collection failed"]);
  await publishing.publish("a");
  publishing[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(1000);
  await publishing.publish("b");
  expect(send).toHaveBeenCalledTimes(2);
});
