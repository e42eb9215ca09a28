import { describe, expect, it } from "vitest";
import { GuessingRecord } from "./guessing-record.ts";

/** Writes so many replies, at these tokens per ms with and without guessing; answers how many were guessed. */
function write(record: GuessingRecord, replies: number, speed: { guessed: number; plain: number }): number {
  let guessed = 0;
  for (let reply = 0; reply < replies; reply++) {
    const kind = record.choose("prompt-lookup");
    if (kind) guessed++;
    record.note(kind, 100, 100 / (kind ? speed.guessed : speed.plain));
  }
  return guessed;
}

describe("guessing ahead", () => {
  it("is tried, and stays on where it is faster", () => {
    expect(write(new GuessingRecord(), 100, { guessed: 2, plain: 1 })).toBeGreaterThan(90);
  });

  it("is switched off where it is slower", () => {
    expect(write(new GuessingRecord(), 100, { guessed: 0.8, plain: 1 })).toBeLessThan(10);
  });

  it("is switched off where it makes no difference", () => {
    expect(write(new GuessingRecord(), 100, { guessed: 1, plain: 1 })).toBeLessThan(10);
  });

  it("comes back when it has become faster", () => {
    const record = new GuessingRecord();
    write(record, 100, { guessed: 0.8, plain: 1 });
    expect(write(record, 200, { guessed: 4, plain: 1 })).toBeGreaterThan(100);
  });
});
