import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFakeEngine, type FakeScript } from "./fake-engine.ts";
import { crossTalk, owners, soloReplies } from "./testing/cross-talk.ts";
import { loadReader, never } from "./testing/reader-engine.ts";

/** T-39 (research/reliability.md): nobody gets another's words. */
describe("eight people at one model", () => {
  it("never get each other's words in 1,000 turns, with stops, changes of slots and restarts", async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), "corral-cross-talk-"));
    try {
      const slots = [
        { contextSize: 1024, count: 1 },
        { contextSize: 512, count: 3 },
      ];
      const load = () => loadReader(slots, { stateDirectory, stateBudgetBytes: 2 ** 30 });
      const solo = await soloReplies(load);
      owners.forEach(({ name, secret }) => expect(solo.get(name)).toContain(secret));
      const report = await crossTalk(load, solo, { turns: 1000, lanes: 6 });
      expect(report.foreign).toEqual([]);
      expect(report.different).toEqual([]);
      expect(report.finished + report.cancelled).toBe(1000);
      expect(report.finished).toBeGreaterThan(600);
      expect(report.cancelled).toBeGreaterThan(50);
    } finally {
      await rm(stateDirectory, { recursive: true });
    }
  }, 300_000);
});

describe("the same over an engine that mixes replies up", () => {
  const script: FakeScript = {
    wordMs: 1,
    reply: ({ messages }) => /The \w+ code is \d+\./.exec(messages[0]?.text ?? "")?.[0] ?? "",
  };
  const load = (engine: ReturnType<typeof createFakeEngine>) => () =>
    engine.load(
      { id: "fake", path: "" },
      { slots: [{ contextSize: 4096, count: 8 }], gpuLayers: 0, threads: 1, kvCacheType: "f16" },
      { signal: never },
    );

  it("finds nothing while it works", async () => {
    const sound = load(createFakeEngine(script));
    const report = await crossTalk(sound, await soloReplies(sound), { turns: 200, lanes: 6 });
    expect(report).toMatchObject({ foreign: [], different: [] });
  });

  it("finds the one reply in 200 with another's words", async () => {
    const solo = await soloReplies(load(createFakeEngine(script)));
    for (const faulty of [20, 100, 180]) {
      const replyFault: FakeScript["replyFault"] = (reply) =>
        reply === faulty ? { kind: "another-sequence", afterWords: 0 } : null;
      const report = await crossTalk(load(createFakeEngine({ ...script, replyFault })), solo, { turns: 200, lanes: 6 });
      expect(report.different.length).toBeGreaterThan(0);
    }
  });
});
