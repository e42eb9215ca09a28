import { expect, it } from "vitest";
import { TextTurns } from "./text-turns.ts";

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

function work(turns: TextTurns, done: string[], name: string, isUrgent: boolean, signal = never) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const result = turns.run(isUrgent, signal, async () => {
    done.push(`${name} begins`);
    await promise;
    done.push(`${name} ends`);
  });
  result.catch(() => undefined);
  return { finish: resolve, result };
}

it("does one thing at a time, queries before documents", async () => {
  const turns = new TextTurns();
  const done: string[] = [];
  const all = [
    work(turns, done, "document 1", false),
    work(turns, done, "document 2", false),
    work(turns, done, "query", true),
  ];
  expect(turns).toMatchObject({ running: 1, queued: 2 });
  for (const { finish } of all) finish();
  await Promise.all(all.map(({ result }) => result));
  expect(done.filter((line) => line.endsWith("begins"))).toEqual([
    "document 1 begins",
    "query begins",
    "document 2 begins",
  ]);
  expect(done.map((line) => line.split(" ").at(-1))).toEqual(["begins", "ends", "begins", "ends", "begins", "ends"]);
  expect(turns).toMatchObject({ running: 0, queued: 0 });
});

it("lets one who waits leave at once, and goes on after one that failed", async () => {
  const turns = new TextTurns();
  const done: string[] = [];
  const failing = turns.run(true, never, async () => {
    await settle();
    throw new Error("no");
  });
  const leave = new AbortController();
  const left = work(turns, done, "left", true, leave.signal);
  const next = work(turns, done, "next", false);
  leave.abort();
  await expect(left.result).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(failing).rejects.toThrow("no");
  next.finish();
  await next.result;
  expect(done).toEqual(["next begins", "next ends"]);
});
