import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConversationSettings } from "@corral/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "./open-store.ts";
import type { DocumentContent, DocumentFile, Store } from "./store.ts";

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "corral-store-"));
  store = await openStore(directory);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const file: DocumentFile = { path: "/docs/handbook.pdf", owned: false, sha256: "ab".repeat(32), bytes: 1234 };

function content(...texts: string[]): DocumentContent {
  return {
    title: null,
    language: "en",
    paged: true,
    pages: texts.map((text, i) => ({
      page: i + 1,
      text,
      width: 595,
      height: 842,
      lines: [{ start: 0, end: text.length, x: 72, y: 72.5, width: 400, height: 12 }],
    })),
    chunks: texts.map((text, i) => ({
      text,
      headingPath: ["Handbook", `Chapter ${i + 1}`],
      spans: [{ page: i + 1, start: 0, end: text.length }],
      tokenEstimate: 10,
    })),
  };
}

async function addDocument(collectionId: string, name: string, ...texts: string[]): Promise<string> {
  const { id } = await store.documents.create({
    collectionId,
    name,
    format: "pdf",
    file: { ...file, path: `/docs/${name}` },
  });
  await store.documents.saveContent(id, content(...texts));
  return id;
}

describe("collections", () => {
  test("are found by name without case, and a name is taken once", async () => {
    const rules = await store.collections.create("Rules");
    expect(rules).toMatchObject({ name: "Rules", documentCount: 0, chunkCount: 0 });
    expect(await store.collections.getByName("rULES")).toEqual(rules);
    const other = await store.collections.create("Other");
    await expect(store.collections.rename(other.id, "RULES")).rejects.toMatchObject({ code: "COLLECTION_EXISTS" });
    expect(await store.collections.rename(rules.id, "RULES")).toMatchObject({ id: rules.id, name: "RULES" });
    await expect(store.collections.rename("nope", "x")).rejects.toMatchObject({ code: "COLLECTION_NOT_FOUND" });
    expect((await store.collections.list()).map(({ name }) => name)).toEqual(["RULES", "Other"]);
  });

  test("removing one takes its documents, pages, chunks and index entries and no others", async () => {
    const gone = await store.collections.create("gone");
    const kept = await store.collections.create("kept");
    const inGone = await addDocument(gone.id, "a.pdf", "The walrus sleeps.", "The walrus eats.");
    const inKept = await addDocument(kept.id, "b.pdf", "The walrus swims.");
    expect(await store.collections.get(gone.id)).toMatchObject({ documentCount: 1, chunkCount: 2 });
    await store.collections.remove(gone.id);
    expect(await store.collections.get(gone.id)).toBeNull();
    expect(await store.documents.get(inGone)).toBeNull();
    expect(await store.pages.get(inGone, 1)).toBeNull();
    const hits = await store.index.search("walrus", null, 10);
    expect(hits.map(({ chunk }) => chunk.documentId)).toEqual([inKept]);
    expect((await store.check()).integrity).toBe("ok");
  });
});

describe("documents", () => {
  test("go from queued to ready with all that reading gave", async () => {
    const { id: collectionId } = await store.collections.create("c");
    const queued = await store.documents.create({ collectionId, name: "handbook.pdf", format: "pdf", file });
    expect(queued).toMatchObject({ state: "queued", pageCount: null, chunkCount: null, error: null, bytes: 1234 });
    expect(await store.documents.file(queued.id)).toEqual(file);
    expect(await store.documents.findByHash(collectionId, file.sha256)).toEqual(queued);
    expect(await store.documents.findByHash(collectionId, "00")).toBeNull();
    expect(await store.documents.unfinished()).toEqual([{ id: queued.id, collectionId, followed: false }]);

    const error = { code: "FILE_UNREADABLE" as const, message: "Broken.", data: { file: "x", reason: "y" } };
    expect(await store.documents.setState(queued.id, "failed", error)).toMatchObject({ state: "failed", error });
    expect(await store.documents.unfinished()).toEqual([]);
    expect(await store.documents.setState(queued.id, "reading")).toMatchObject({ state: "reading", error: null });

    const ready = await store.documents.saveContent(queued.id, content("First page.", "Second page."));
    expect(ready).toMatchObject({ state: "ready", pageCount: 2, chunkCount: 2, paged: true, language: "en" });
    expect(await store.documents.list()).toEqual([ready]);
    expect(await store.documents.list("other")).toEqual([]);
    expect(await store.pages.get(queued.id, 2)).toMatchObject(content("", "Second page.").pages[1]!);
    expect(await store.pages.get(queued.id, 3)).toBeNull();
  });

  test("saving content again replaces pages, chunks and index entries", async () => {
    const { id: collectionId } = await store.collections.create("c");
    const id = await addDocument(collectionId, "a.pdf", "The old walrus.", "Another old page.");
    await store.documents.saveContent(id, content("The new pelican."));
    expect(await store.documents.get(id)).toMatchObject({ pageCount: 1, chunkCount: 1 });
    expect(await store.pages.get(id, 2)).toBeNull();
    expect(await store.index.search("walrus", null, 10)).toEqual([]);
    expect(await store.index.search("pelican", null, 10)).toHaveLength(1);
    expect((await store.check()).integrity).toBe("ok");
  });

  test("removing one answers its file only when no other document uses it", async () => {
    const { id: collectionId } = await store.collections.create("c");
    const owned = { ...file, owned: true };
    const first = await store.documents.create({ collectionId, name: "a", format: "pdf", file: owned });
    const second = await store.documents.create({ collectionId, name: "b", format: "pdf", file: owned });
    await addDocument(collectionId, "c.pdf");
    expect(await store.documents.ownedFiles()).toEqual([
      { documentId: first.id, file: owned },
      { documentId: second.id, file: owned },
    ]);
    expect((await store.documents.findByPath(collectionId, owned.path)).map(({ id }) => id)).toEqual([
      first.id,
      second.id,
    ]);
    expect(await store.documents.findByPath("other", owned.path)).toEqual([]);
    expect(await store.documents.remove(first.id)).toBeNull();
    expect(await store.documents.remove(second.id)).toEqual(owned);
    expect(await store.documents.remove(second.id)).toBeNull();
  });

  test("unknown ids and collections are told", async () => {
    await expect(
      store.documents.create({ collectionId: "nope", name: "a", format: "pdf", file }),
    ).rejects.toMatchObject({ code: "COLLECTION_NOT_FOUND" });
    await expect(store.documents.setState("nope", "ready")).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
    await expect(store.documents.saveContent("nope", content("x"))).rejects.toMatchObject({
      code: "DOCUMENT_NOT_FOUND",
    });
  });
});

const settings = defaultConversationSettings;

async function say(conversationId: string, parentId: string | null, role: "user" | "assistant", text: string) {
  const state = role === "user" ? ("complete" as const) : ("streaming" as const);
  return store.messages.add({ conversationId, parentId, role, text, state, model: role === "user" ? null : "m" });
}

describe("conversations and messages", () => {
  test("form a tree of which one branch is active", async () => {
    const { id } = await store.conversations.create(settings);
    const question = await say(id, null, "user", "How tall?");
    const first = await say(id, question.id, "assistant", "Tall.");
    const second = await say(id, question.id, "assistant", "Very tall.");
    const follow = await say(id, second.id, "user", "Sure?");
    const edited = await say(id, null, "user", "How wide?");

    const active = await store.conversations.get(id);
    expect(active.messages.map(({ id }) => id)).toEqual([edited.id]);
    expect(active.messages[0]!.versions).toEqual([question.id, edited.id]);

    const back = await store.conversations.selectVersion(question.id);
    expect(back.messages.map(({ text }) => text)).toEqual(["How tall?", "Very tall.", "Sure?"]);
    expect(back.messages[1]!.versions).toEqual([first.id, second.id]);
    const other = await store.conversations.selectVersion(first.id);
    expect(other.messages.map(({ text }) => text)).toEqual(["How tall?", "Tall."]);
    expect((await store.messages.path(follow.id)).map(({ text }) => text)).toEqual([
      "How tall?",
      "Very tall.",
      "Sure?",
    ]);
    expect(await store.messages.path("nope")).toEqual([]);
  });

  test("a reply is saved as it grows, finished once, and interrupted by a restart", async () => {
    const { id } = await store.conversations.create(settings);
    const question = await say(id, null, "user", "How tall?");
    const reply = await say(id, question.id, "assistant", "");
    await store.messages.saveProgress(reply.id, { text: "Ta", steps: [] });
    expect(await store.messages.get(reply.id)).toMatchObject({ text: "Ta", state: "streaming", versions: [reply.id] });
    const result = {
      text: "Tall [1].",
      state: "complete" as const,
      citations: [
        {
          number: 1,
          chunkId: "d.0",
          documentId: "d",
          document: "a.pdf",
          page: 3,
          quote: "It is tall.",
          spans: [{ page: 3, start: 0, end: 11 }],
          support: "paraphrase" as const,
        },
      ],
      retrieval: {
        found: 3,
        included: 2,
        omitted: 1,
        omittedTurns: 0,
        summarisedTurns: 0,
        omittedResults: 0,
        omittedTokens: 0,
        budgetTokens: 900,
      },
      steps: [{ textEnd: 0, calls: [] }],
      summary: { text: "They met.", turns: 1, throughMessageId: question.id },
      timings: null,
      usage: { promptTokens: 9, cachedTokens: 0, completionTokens: 4, contextSize: 4096 },
      finishReason: "stop" as const,
      error: null,
    };
    expect(await store.messages.finish(reply.id, result)).toMatchObject({ ...result, model: "m" });
    const finished = await store.messages.finish(reply.id, { ...result, model: "m2" });
    expect(finished).toMatchObject({ ...result, model: "m2" });
    await store.messages.saveProgress(reply.id, { text: "too late", steps: [] });
    expect(await store.messages.get(reply.id)).toEqual(finished);

    const cut = await say(id, question.id, "assistant", "");
    const call = {
      name: "calculator",
      server: null,
      arguments: "{}",
      approval: "not-needed" as const,
      result: null,
      resultOmitted: 0,
      durationMs: null,
    };
    const calls = (["done", "pending-approval", "running"] as const).map((state) => ({ ...call, id: state, state }));
    const step = { textEnd: 4, calls };
    await store.messages.saveProgress(cut.id, { text: "Half an ans", steps: [step] });
    await store[Symbol.asyncDispose]();
    store = await openStore(directory);
    expect(await store.messages.interruptUnfinished()).toBe(1);
    expect(await store.messages.get(cut.id)).toMatchObject({
      text: "Half an ans",
      state: "interrupted",
      steps: [{ textEnd: 4, calls: [{ state: "done" }, { state: "denied" }, { state: "interrupted" }] }],
    });
    expect(await store.messages.interruptUnfinished()).toBe(0);
  });

  test("settings change in part, titles by name, and unknown ids are told", async () => {
    const { id, title } = await store.conversations.create(settings);
    expect(title).toBe("");
    expect(await store.conversations.rename(id, "Heights")).toMatchObject({ id, title: "Heights" });
    const changed = await store.conversations.configure(id, { model: "m", systemPrompt: undefined } as never);
    expect(changed.settings).toEqual({ ...settings, model: "m" });
    const notFound = { code: "CONVERSATION_NOT_FOUND" };
    await expect(store.conversations.get("nope")).rejects.toMatchObject(notFound);
    await expect(store.conversations.rename("nope", "x")).rejects.toMatchObject(notFound);
    await expect(say("nope", null, "user", "x")).rejects.toMatchObject(notFound);
    const noMessage = { code: "MESSAGE_NOT_FOUND" };
    await expect(store.conversations.selectVersion("nope")).rejects.toMatchObject(noMessage);
    await expect(say(id, "nope", "user", "x")).rejects.toMatchObject(noMessage);
    const other = await store.conversations.create(settings);
    const foreign = await say(other.id, null, "user", "x");
    await expect(say(id, foreign.id, "assistant", "x")).rejects.toMatchObject(noMessage);
  });

  test("a chat of 1500 turns can be read and removed (SQLite's recursion limit is 1000)", async () => {
    const { id } = await store.conversations.create(settings);
    let parent: string | null = null;
    for (let i = 0; i < 1500; i++) parent = (await say(id, parent, "user", `turn ${i}`)).id;
    expect((await store.conversations.get(id)).messages).toHaveLength(1500);
    await store.conversations.remove(id);
    expect(await store.messages.get(parent!)).toBeNull();
    expect(await store.conversations.list("")).toEqual([]);
    expect((await store.check()).integrity).toBe("ok");
  });

  test("are found by title and by words of any language inside a message, newest first", async () => {
    const thai = await store.conversations.create(settings);
    await say(thai.id, null, "user", "ทีมรับของแพนเธอร์สยอมแพ้ที่คะแนนเท่าไร");
    const hindi = await store.conversations.create(settings);
    await say(hindi.id, null, "user", "लड़कियों ने किताबें पढ़ीं");
    const french = await store.conversations.create(settings);
    await store.conversations.rename(french.id, "Été à Paris");
    await say(french.id, null, "user", `${"mot ".repeat(50)}Où sont\nles 100% œuvres_d'art ?`);
    const found = async (search: string) => (await store.conversations.list(search)).map(({ id }) => id);

    expect(await found("")).toEqual([french.id, hindi.id, thai.id]);
    expect(await found("แพนเธอร์ส")).toEqual([thai.id]);
    expect(await found("คะแนน")).toEqual([thai.id]);
    expect(await found("किताब")).toEqual([hindi.id]);
    expect(await found("ETE paris")).toEqual([french.id]);
    expect(await found("ou 100%")).toEqual([french.id]);
    expect(await found("%")).toEqual([french.id]);
    expect(await found("_")).toEqual([french.id]);
    expect(await found("paris 100%")).toEqual([]);
    const [hit] = await store.conversations.list("sont");
    expect(hit!.snippet).toMatch(/^….*mot Où sont les 100% œuvres_d'art \?$/);
    expect((await store.conversations.list("ete"))[0]!.snippet).toBeNull();
  });
});

describe("model files", () => {
  test("are listed in the order they were added and forgotten on removal", async () => {
    const entry = { id: "a", name: "A", path: "/m/a.gguf", bytes: 5_000_000_000 };
    const added = await store.modelFiles.add(entry);
    expect(added).toEqual({ ...entry, addedAt: expect.any(String) });
    await store.modelFiles.add({ ...entry, id: "b" });
    expect(await store.modelFiles.add({ ...entry, name: "A2" })).toMatchObject({ name: "A2", addedAt: added.addedAt });
    expect((await store.modelFiles.list()).map(({ id, name }) => [id, name])).toEqual([
      ["a", "A2"],
      ["b", "A"],
    ]);
    await store.modelFiles.remove("a");
    expect((await store.modelFiles.list()).map(({ id }) => id)).toEqual(["b"]);
  });
});

describe("fit measurements", () => {
  test("are listed newest first, and a load under the same conditions replaces the one before", async () => {
    const parts = { weightsBytes: 5_000_000_000, kvCacheBytes: 2 ** 30, computeBytes: 2 ** 28, overheadBytes: 2 ** 29 };
    const entry = {
      model: "a",
      quantization: "Q8_0",
      backend: "cuda",
      deviceKind: "NVIDIA GeForce RTX 4090",
      contextSize: 8192,
      kvCacheType: "f16",
      predicted: parts,
      measured: { ...parts, overheadBytes: null },
    };
    await store.fitMeasurements.add(entry);
    await store.fitMeasurements.add({ ...entry, contextSize: 32_768 });
    await store.fitMeasurements.add({ ...entry, measured: { ...parts, computeBytes: 2 ** 27 + 0.4 } });
    await store.fitMeasurements.add({ ...entry, quantization: "Q4_K_M" });
    const listed = await store.fitMeasurements.list("a", "Q8_0");
    expect(listed.map(({ contextSize }) => contextSize)).toEqual([8192, 32_768]);
    expect(listed[0]).toEqual({
      ...entry,
      measured: { ...parts, computeBytes: 2 ** 27 },
      measuredAt: expect.any(String),
    });
    expect(listed[1]!.measured.overheadBytes).toBeNull();
    expect(await store.fitMeasurements.list("b", "Q8_0")).toEqual([]);
  });
});
