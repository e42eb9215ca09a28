import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LoadedModel } from "./engine.ts";
import { stateFolderOf } from "./state-folder.ts";
import { answer, ask, longPassages, never, readerEngine, readerFile } from "./testing/reader-engine.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "corral-states-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const load = (budgetBytes = 2 ** 30, count = 1): Promise<LoadedModel> =>
  readerEngine(directory).load(
    readerFile,
    {
      ...{ slots: [{ contextSize: 2048, count }], gpuLayers: 0, threads: 1, kvCacheType: "f16" },
      ...{ stateDirectory: directory, stateBudgetBytes: budgetBytes },
    },
    { signal: never },
  );

async function stateFiles(folder = directory): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith(".state")).map((name) => join(folder, name));
}

const turn = (owner: string, question = "Where does boat number 49 lie?") =>
  ask(question, longPassages(600, owner), { cacheOwner: owner });

describe("a conversation that lost its slot", () => {
  it("is restored from disk, and goes on word for word as if it had kept it", async () => {
    await using model = await load();
    const first = await answer(model, turn("anna"));
    expect(first.statistics.cachedTokens).toBe(0);
    const withKeptSlot = await answer(model, turn("anna", "And number 56?"));
    await answer(model, turn("ben"));
    const [file] = await stateFiles();
    expect((await stat(file!)).mode & 0o777).toBe(0o600);
    const restored = await answer(model, turn("anna", "And number 56?"));
    expect(restored.text).toBe(withKeptSlot.text);
    const { restoredTokens = 0, cachedTokens, promptTokens } = restored.statistics;
    expect(restoredTokens).toBeGreaterThan(0.9 * promptTokens);
    expect(cachedTokens).toBe(restoredTokens);
  });

  it("is restored after the worker ended and a new one was started", async () => {
    let text = "";
    {
      await using model = await load();
      text = (await answer(model, turn("anna"))).text;
    }
    await using model = await load();
    const again = await answer(model, turn("anna"));
    expect(again.text).toBe(text);
    expect(again.statistics.restoredTokens).toBe(again.statistics.promptTokens - 1);
  });

  it("is kept while nobody asks anything, so that it survives a kill", async () => {
    const model = await load();
    const { text } = await answer(model, turn("anna"));
    await expect.poll(() => stateFiles(), { timeout: 10_000 }).toHaveLength(1);
    process.kill((model as unknown as { pid: number }).pid, "SIGKILL");
    await model.ended;
    await using next = await load();
    const again = await answer(next, turn("anna"));
    expect(again.statistics.restoredTokens).toBeGreaterThan(500);
    expect(again.text).toBe(text);
  });

  it("that grew out of its slot moves to a larger one", async () => {
    await using model = await readerEngine(directory).load(
      readerFile,
      {
        ...{
          slots: [
            { contextSize: 4096, count: 1 },
            { contextSize: 1024, count: 1 },
          ],
          gpuLayers: 0,
          threads: 1,
        },
        ...{ kvCacheType: "f16", stateDirectory: directory, stateBudgetBytes: 2 ** 30 },
      },
      { signal: never },
    );
    await answer(model, turn("anna"));
    const longer = await answer(model, { ...turn("anna", "And number 56?"), maxTokens: 1500, alternatives: ["Yes."] });
    expect(longer.statistics.restoredTokens).toBeGreaterThan(500);
  });
});

describe("what is kept", () => {
  it("is never used for another owner, though the prompt is the same", async () => {
    await using model = await load();
    const request = turn("anna");
    await answer(model, request);
    await answer(model, turn("ben"));
    expect(await stateFiles()).not.toHaveLength(0);
    const foreign = await answer(model, { ...request, cacheOwner: "mallory" });
    expect(foreign.statistics.cachedTokens).toBe(0);
    expect(foreign.statistics.restoredTokens ?? 0).toBe(0);
  });

  it("is never used for another owner even when a file is put into that owner's folder", async () => {
    await using model = await load();
    await answer(model, turn("anna"));
    await answer(model, turn("ben"));
    await answer(model, turn("anna"));
    const files = await stateFiles();
    expect(files).toHaveLength(2);
    const [a, b] = await Promise.all(files.map((file) => readFile(file)));
    await writeFile(files[0]!, b!);
    await writeFile(files[1]!, a!);
    const result = await answer(model, turn("ben"));
    expect(result.statistics.restoredTokens ?? 0).toBe(0);
  });

  it("is not used and deleted when it is damaged", async () => {
    const damages = {
      "a changed byte in its values": (bytes: Buffer) => ((bytes[bytes.length >> 1]! ^= 1), bytes),
      "its end missing": (bytes: Buffer) => bytes.subarray(0, -100_000),
      "nothing but zeros": (bytes: Buffer) => Buffer.alloc(bytes.length),
      "a label that is no label": (bytes: Buffer) => bytes.fill(7, bytes.length - 60, bytes.length - 8),
      "another beginning": (bytes: Buffer) => bytes.fill(255, 0, 12),
    };
    await using model = await load();
    const { text } = await answer(model, turn("anna"));
    for (const [damage, apply] of Object.entries(damages)) {
      await answer(model, { ...turn("ben"), maxTokens: 1 });
      const [file] = await stateFiles(stateFolderOf(directory, "anna"));
      await writeFile(file!, apply(await readFile(file!)));
      const again = await answer(model, turn("anna"));
      expect(again.statistics.cachedTokens, damage).toBe(0);
      expect(again.text, damage).toBe(text);
      expect(await stateFiles(stateFolderOf(directory, "anna")), damage).toEqual([]);
    }
  });

  it("stays within its budget, the least recently used going first", async () => {
    // About 2 MB each: two fit.
    await using model = await load(5_000_000);
    for (const owner of ["anna", "ben", "clara", "dora"]) await answer(model, turn(owner));
    const files = await stateFiles();
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(5_000_000);
    expect(files).toHaveLength(2);
    expect((await answer(model, turn("anna"))).statistics.restoredTokens ?? 0).toBe(0);
    expect((await answer(model, turn("clara"))).statistics.restoredTokens).toBeGreaterThan(500);
  });

  it("is one file per conversation, the newest", async () => {
    await using model = await load();
    for (const question of ["Where is boat 7?", "Where is boat 14?"]) {
      await answer(model, { ...turn("anna"), messages: [...turn("anna").messages, { role: "user", text: question }] });
      await answer(model, turn("ben"));
    }
    const folders = await readdir(directory);
    expect(folders).toHaveLength(2);
  });

  it("is gone once its conversation is forgotten, from memory and from disk", async () => {
    const engine = readerEngine(directory);
    const settings = {
      slots: [{ contextSize: 2048, count: 2 }],
      gpuLayers: 0,
      threads: 1,
      kvCacheType: "f16" as const,
    };
    await using model = await engine.load(
      readerFile,
      { ...settings, stateDirectory: directory, stateBudgetBytes: 2 ** 30 },
      { signal: never },
    );
    await answer(model, turn("anna"));
    await expect.poll(() => stateFiles(), { timeout: 10_000 }).toHaveLength(1);
    expect((await answer(model, turn("anna"))).statistics.cachedTokens).toBeGreaterThan(500);
    await engine.forget("anna");
    expect(await readdir(directory)).toEqual([]);
    expect((await answer(model, turn("anna"))).statistics.cachedTokens).toBe(0);
  });

  it("does not come back when its conversation is forgotten during a reply", async () => {
    const engine = readerEngine(directory);
    const settings = {
      slots: [{ contextSize: 2048, count: 1 }],
      gpuLayers: 0,
      threads: 1,
      kvCacheType: "f16" as const,
    };
    {
      await using model = await engine.load(
        readerFile,
        { ...settings, stateDirectory: directory, stateBudgetBytes: 2 ** 30 },
        { signal: never },
      );
      const stream = model.generate({ ...turn("anna"), alternatives: ["word ".repeat(200)], maxTokens: 500 }, never);
      for await (const part of stream) if (part.type === "text-delta") await engine.forget("anna");
      expect((await answer(model, turn("anna"))).statistics.cachedTokens).toBe(0);
      await engine.forget("anna");
    }
    expect(await stateFiles()).toEqual([]);
  });
});
