import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { fakeDimensions } from "../engines/fake-vectors.ts";
import { writeTinyBert } from "../engines/tiny-bert.test-writer.ts";
import { settle, TestModels } from "./testing/test-models.ts";

const never = new AbortController().signal;

let test: TestModels;
afterEach(() => test[Symbol.asyncDispose]());

/** With one model that converses, and these that read only. */
async function setUp(...files: { name: string; pooling?: "mean" | "rank"; title?: string }[]): Promise<void> {
  test = await TestModels.create({}, ["chat"]);
  for (const { name, pooling = "mean", title = name } of files) {
    const path = join(test.folder, `${name}.gguf`);
    await writeTinyBert(path, { pooling, name: title });
    await test.models.add(path);
  }
}

const texts = Array.from({ length: 40 }, (_, index) => `passage number ${index}`);

describe("models that read only", () => {
  it("are listed for what they are, after those that answer questions, and never the default", async () => {
    await setUp({ name: "vectors" }, { name: "scores", pooling: "rank" });
    const listed = (await test.models.list()).map(({ id, ability }) => [id, ability]);
    expect(listed).toEqual([
      ["chat", "chat"],
      ["corral-reader", "quote"],
      ["vectors", "embed"],
      ["scores", "rank"],
    ]);
    await expect(test.models.acquire("vectors", { signal: never })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(test.models.embedder("scores", { signal: never })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(test.models.reranker("chat", { signal: never })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(test.models.configure({ defaultModel: "vectors" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(test.engine.history).toEqual([]);
  });

  it("are loaded for their purpose, beside the one that converses, and counted in the activity", async () => {
    await setUp({ name: "vectors" }, { name: "scores", pooling: "rank" });
    await test.models.load("chat", never);
    await using embedder = await test.models.embedder(null, { signal: never });
    await using reranker = await test.models.reranker(null, { signal: never });
    expect([...test.engine.loaded]).toEqual(["chat", "vectors", "scores"]);
    expect(test.engine.settings.map(({ purpose }) => purpose)).toEqual([undefined, "embed", "rank"]);
    expect(embedder).toMatchObject({ id: "vectors", dimensions: fakeDimensions });
    const vectors = await embedder.embed(texts, "document", never);
    expect(vectors).toHaveLength(texts.length);
    expect(await reranker.rank("number 7", texts.slice(0, 9), never)).toHaveLength(9);
    const { models } = await test.models.activity();
    expect(models.find(({ model }) => model === "vectors")).toMatchObject({
      purpose: "embed",
      state: "idle",
      slots: [{ total: 1, busy: 0 }],
      counters: { completed: 3, loads: 1 },
    });
  });

  it("do not exist before one is added", async () => {
    await setUp();
    await expect(test.models.embedder(null, { signal: never })).rejects.toMatchObject({ code: "NO_MODEL" });
    await expect(test.models.reranker(null, { signal: never })).rejects.toMatchObject({ code: "NO_MODEL" });
  });

  it("are chosen by the owner where there are several", async () => {
    await setUp({ name: "first" }, { name: "second" });
    const used = async () => {
      await using embedder = await test.models.embedder(null, { signal: never });
      return embedder.id;
    };
    expect(await used()).toBe("first");
    await test.models.configure({ embeddingModel: "second" });
    expect(await used()).toBe("second");
    await test.models.remove("second");
    expect(await used()).toBe("first");
  });

  it("get before each text what they were trained with, or what the owner says", async () => {
    await setUp({ name: "e5", title: "E5 small" });
    const plain = async (text: string) => {
      await test.models.configure({ embeddingPrefixes: { query: "", document: "" } });
      await using embedder = await test.models.embedder(null, { signal: never });
      return (await embedder.embed([text], "query", never))[0];
    };
    const asked = async (kind: "query" | "document") => {
      await test.models.configure({ embeddingPrefixes: null });
      await using embedder = await test.models.embedder(null, { signal: never });
      return (await embedder.embed(["gate"], kind, never))[0];
    };
    expect(await asked("query")).toEqual(await plain("query: gate"));
    expect(await asked("document")).toEqual(await plain("passage: gate"));
    expect(await plain("gate")).not.toEqual(await plain("query: gate"));
  });

  it("are unloaded when unused, and wait for nobody's memory", async () => {
    await setUp({ name: "vectors" });
    const embedder = await test.models.embedder(null, { signal: never });
    await embedder[Symbol.asyncDispose]();
    test.clock.pass(30 * 60_000);
    await settle();
    expect(await test.state("vectors")).toBe("unloaded");
    await using _chat = await test.models.acquire("chat", { signal: never });
    test.available = 0;
    await expect(test.models.embedder(null, { signal: never })).rejects.toMatchObject({ code: "INSUFFICIENT_MEMORY" });
  });

  it("make way for one that converses between two turns, and come back for the next", async () => {
    await setUp({ name: "vectors" });
    await using embedder = await test.models.embedder(null, { signal: never });
    await embedder.embed(["first"], "document", never);
    // Neither has room beside the other.
    await test.makeRoomFor(1, "chat");
    const indexing = (async () => {
      for (;;) {
        await embedder.embed(texts, "document", never);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await test.models.load("chat", never);
    expect(test.engine.history).toEqual(["load vectors", "dispose vectors", "load chat"]);
    // The conversation is not disturbed for that.
    await expect(indexing).rejects.toMatchObject({ code: "INSUFFICIENT_MEMORY" });
    test.clock.pass(300_000);
    expect(await embedder.embed(["next"], "document", never)).toHaveLength(1);
    expect(test.engine.history.slice(-2)).toEqual(["dispose chat", "load vectors"]);
  });
});
