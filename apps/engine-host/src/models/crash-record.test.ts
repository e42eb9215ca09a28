import { describe, expect, it } from "vitest";
import { CrashRecord } from "./crash-record.ts";

describe("CrashRecord", () => {
  it("doubles the pause from 1 s up to 60 s while crashes follow each other", () => {
    const record = new CrashRecord();
    expect(record.backoffLeft(0)).toBe(0);
    const pauses: number[] = [];
    let now = 0;
    for (let crash = 0; crash < 9; crash++) {
      record.note(now);
      pauses.push(record.backoffLeft(now) / 1000);
      now += 299_000;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("starts over after five quiet minutes", () => {
    const record = new CrashRecord();
    record.note(0);
    record.note(1000);
    record.note(302_000);
    expect(record.backoffLeft(302_000)).toBe(1000);
    expect(record.quarantineLeft(302_000)).toBe(0);
  });

  it("quarantines for five minutes from the third crash", () => {
    const record = new CrashRecord();
    for (const at of [0, 100_000, 299_999]) record.note(at);
    expect(record.quarantineLeft(299_999)).toBe(300_000);
    expect(record.quarantineLeft(599_999)).toBe(0);
  });
});
