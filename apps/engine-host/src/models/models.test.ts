import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelSummary } from "@corral/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { FakeEngine, FakeScript } from "../engines/fake-engine.ts";
import { buildGguf } from "../engines/gguf.test-builder.ts";
import type { Models } from "./models.ts";
import type { TestClock } from "./testing/test-clock.ts";
import { settle, TestModels } from "./testing/test-models.ts";

const readerFile = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const never = new AbortController().signal;

let test: TestModels;
let folder: string;
let clock: TestClock;
let engine: FakeEngine;
let models: Models;

async function setUp(script?: FakeScript, names?: string[]): Promise<void> {
  test = await TestModels.create(script, names);
  ({ folder, clock, engine, models } = test);
}

const state = (id: string) => test.state(id);

afterEach(() => test[Symbol.asyncDispose]());

describe("the library", () => {
  it("lists the default model first: a registered file before the reader", async () => {
    await setUp();
    expect((await models.list()).map(({ id }) => id)).toEqual(["a", "b", "corral-reader"]);
    const [first, , reader] = await models.list();
    expect(first).toMatchObject({ name: "Tiny", ability: "chat", embedded: false, quantization: "F32", tier: "BF16" });
    expect(reader).toMatchObject({ ability: "quote", embedded: true, state: "unloaded" });
  });

  it("knows a copy of the reader for what it is: it quotes, and is not the default", async () => {
    await setUp({}, []);
    const copy = join(folder, "copy.gguf");
    await copyFile(readerFile, copy);
    expect(await models.add(copy)).toMatchObject({ id: "copy", ability: "quote", embedded: false });
    expect((await models.list()).map(({ id }) => id)).toEqual(["corral-reader", "copy"]);
  });

  it("has only the reader at first, and no model at all without its file", async () => {
    await setUp({}, []);
    expect((await models.list()).map(({ id }) => id)).toEqual(["corral-reader"]);
    await rm(join(folder, "reader.gguf"));
    expect(await models.list()).toEqual([]);
    await expect(models.acquire(null, { signal: never })).rejects.toMatchObject({ code: "NO_MODEL" });
  });

  it("gives ids from file names, each once, and the same file the same id", async () => {
    await setUp({}, []);
    const other = await mkdtemp(join(folder, "x-"));
    const paths = [
      join(folder, "Llama 3.1 (8B) Q4_K_M.GGUF"),
      join(other, "llama-3.1-8b-q4_k_m.gguf"),
      join(folder, "ü.gguf"),
    ];
    for (const path of paths) await writeFile(path, buildGguf());
    // At the same time: the two of the same name must still get different ids, and each file one.
    const added = await Promise.all([...paths, ...paths].map((path) => models.add(path)));
    const ids = added.map(({ id }) => id);
    expect(ids.slice(0, 3).toSorted()).toEqual(["llama-3.1-8b-q4_k_m", "llama-3.1-8b-q4_k_m-2", "u"]);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  });

  it("refuses files that are no models", async () => {
    await setUp();
    await expect(models.add(join(folder, "none.gguf"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await writeFile(join(folder, "zero.gguf"), "");
    await expect(models.add(join(folder, "zero.gguf"))).rejects.toMatchObject({ code: "EMPTY_FILE" });
    await writeFile(join(folder, "page.gguf"), "<html>404</html>");
    await expect(models.add(join(folder, "page.gguf"))).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
    expect(await models.list()).toHaveLength(3);
  });

  it("shows a file that is gone as absent, last, and takes another default", async () => {
    await setUp();
    await rm(join(folder, "a.gguf"));
    expect((await models.list()).map((model) => [model.id, model.state])).toEqual([
      ["b", "unloaded"],
      ["corral-reader", "unloaded"],
      ["a", "absent"],
    ]);
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await using lease = await models.acquire(null, { signal: never });
    expect(lease.summary.id).toBe("b");
  });

  it("reports a file that was damaged after it was added", async () => {
    await setUp();
    await writeFile(join(folder, "a.gguf"), "GGUF and nothing more");
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({ code: "MODEL_FILE_INVALID" });
    expect((await models.list())[0]?.lastError?.code).toBe("MODEL_FILE_INVALID");
    expect(engine.history).toEqual([]);
  });

  it("forgets a model but not the reader", async () => {
    await setUp();
    await models.load("a", never);
    await models.remove("a");
    expect(engine.history).toEqual(["load a", "dispose a"]);
    expect(await state("a")).toBeUndefined();
    await expect(models.remove("a")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(models.remove("corral-reader")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("crashes", () => {
  const crashOnce = async () => {
    const lease = await models.acquire("a", { signal: never });
    engine.crash("a");
    await lease[Symbol.asyncDispose]();
    await settle();
  };

  it("loads again after a pause of 1 s and then 2 s", async () => {
    await setUp();
    await crashOnce();
    expect((await models.list())[0]).toMatchObject({ state: "pending", lastError: { code: "ENGINE_CRASHED" } });
    for (const seconds of [1, 2]) {
      const again = models.acquire("a", { signal: never });
      await settle();
      expect(clock.sleeping).toEqual([seconds * 1000]);
      expect(await state("a")).toBe("pending");
      clock.pass(seconds * 1000);
      const lease = await again;
      expect((await models.list())[0]?.lastError).toBeNull();
      await lease[Symbol.asyncDispose]();
      if (seconds === 1) await crashOnce();
    }
    expect(engine.history).toEqual(["load a", "crash a", "load a", "crash a", "load a"]);
  });

  it("gives the lease of a crashed model no power over its successor", async () => {
    await setUp();
    const old = await models.acquire("a", { signal: never });
    engine.crash("a");
    await settle();
    clock.pass(1000);
    await using lease = await models.acquire("a", { signal: never });
    await old[Symbol.asyncDispose]();
    expect(await state("a")).toBe("ready");
    expect(lease.model).not.toBe(old.model);
  });

  it("quarantines after three crashes in five minutes, and only that model", async () => {
    await setUp();
    for (let crash = 1; crash <= 3; crash++) {
      await crashOnce();
      clock.pass(60_000);
    }
    expect(await state("a")).toBe("quarantined");
    await expect(models.acquire("a", { signal: never })).rejects.toMatchObject({
      code: "MODEL_QUARANTINED",
      data: { model: "a", retryAfterMs: 240_000 },
    });
    await using other = await models.acquire("b", { signal: never });
    expect(other.summary.id).toBe("b");
    clock.pass(240_000);
    expect(await state("a")).toBe("unloaded");
  });

  it("does not quarantine three crashes spread over more than five minutes", async () => {
    await setUp();
    for (let crash = 1; crash <= 4; crash++) {
      await crashOnce();
      clock.pass(200_000);
    }
    await settle();
    expect(await state("a")).toBe("idle");
  });

  it("come back by themselves after the pause: nobody has to ask", async () => {
    await setUp();
    await crashOnce();
    expect(await state("a")).toBe("pending");
    clock.pass(1000);
    await settle();
    expect((await models.list())[0]).toMatchObject({ state: "idle", lastError: null });
    await crashOnce();
    await models.unload("a");
    clock.pass(60_000);
    await settle();
    expect(await state("a")).toBe("unloaded");
  });

  it("counts an engine that dies while it loads, but not a lack of memory, which each time is tried twice", async () => {
    await setUp({ loadFault: (load) => (load <= 3 ? "crash" : load <= 11 ? "out-of-memory" : null) });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await expect(models.load("a", never)).rejects.toMatchObject({ code: "MODEL_LOAD_FAILED" });
      clock.pass(60_000);
    }
    await expect(models.load("a", never)).rejects.toMatchObject({ code: "MODEL_QUARANTINED" });
    for (let attempt = 1; attempt <= 4; attempt++) {
      await expect(models.load("b", never)).rejects.toMatchObject({ code: "INSUFFICIENT_MEMORY" });
    }
    expect(await state("b")).toBe("unloaded");
  });

  it("cancels a load that hangs", async () => {
    await setUp({ loadFault: () => "hang" });
    const stop = new AbortController();
    const loading = models.load("a", stop.signal);
    await settle();
    stop.abort();
    await expect(loading).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("watching", () => {
  it("gives the list at once and ends with its signal", async () => {
    await setUp();
    const end = new AbortController();
    const lists: ModelSummary[][] = [];
    for await (const list of models.watch(end.signal)) {
      lists.push(list);
      end.abort();
    }
    expect(lists).toHaveLength(1);
  });
});
