import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

it("tasks of one key follow each other, other keys go on meanwhile, a lone task has everything to itself", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const task = (name: string, ms: number) => async () => {
    log.push(`${name} begins`);
    await delay(ms);
    log.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([
    turns.run("a", task("a1", 30)),
    turns.run("a", task("a2", 1)),
    turns.run("b", task("b1", 1)),
    turns.runAlone(task("alone", 1)),
    turns.run("b", task("b2", 1)),
  ]);
  expect(results).toEqual(["a1", "a2", "b1", "alone", "b2"]);
  const at = (entry: string) => log.indexOf(entry);
  expect(at("b1 ends")).toBeLessThan(at("a1 ends"));
  expect(at("a1 ends")).toBeLessThan(at("a2 begins"));
  expect(at("a2 ends")).toBeLessThan(at("alone begins"));
  expect(at("alone ends")).toBeLessThan(at("b2 begins"));
});

it("a task that fails holds up nobody", async () => {
  const turns = new Turns();
  const failed = turns.run("a", () => Promise.reject(new Error("no")));
  const next = turns.run("a", () => Promise.resolve(1));
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe(1);
  await expect(turns.runAlone(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await turns.run("a", () => Promise.resolve(2))).toBe(2);
});
