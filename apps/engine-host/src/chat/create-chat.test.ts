import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  CorralError,
  type Conversation,
  type ConversationSettings,
  type GenerationPart,
  type Message,
} from "@corral/protocol";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import type { Store } from "../store/store.ts";
import type { Chat } from "./chat.ts";
import { createChat } from "./create-chat.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { noMcp } from "./testing/no-mcp.ts";
import { ScriptedModels, type Script } from "./testing/scripted-models.ts";
import { storeDocuments, temporaryStore } from "./testing/stored-documents.ts";

const forever = new AbortController().signal;
const silentLogger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, [Symbol.dispose]() {} };

let home: Awaited<ReturnType<typeof temporaryStore>>;
let store: Store;
let clock: ManualClock;
let chat: Chat | null = null;

beforeAll(async () => {
  home = await temporaryStore();
  store = home.store;
});
beforeEach(() => {
  clock = new ManualClock();
});
afterEach(async () => {
  await chat?.[Symbol.asyncDispose]();
  chat = null;
});
afterAll(() => home[Symbol.asyncDispose]());

function chatWith(models: ScriptedModels): Chat {
  return (chat = createChat({
    mcp: noMcp,
    store,
    retrieval: createRetrieval({ store }),
    models,
    logger: silentLogger,
    clock,
  }));
}

/** Says these pieces one after the other. */
const saying = (...pieces: string[]): Script =>
  async function* () {
    yield* pieces;
  };

/** Says a first piece, then waits until it is let go on or stopped. */
function pausing(first: string, rest: string) {
  const paused = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const script: Script = async function* (_request, signal) {
    yield first;
    signal.addEventListener("abort", () => goOn.resolve());
    paused.resolve();
    await goOn.promise;
    yield rest;
  };
  return { script, paused: paused.promise, goOn: () => goOn.resolve() };
}

async function collect(parts: AsyncIterable<GenerationPart>): Promise<GenerationPart[]> {
  const collected: GenerationPart[] = [];
  for await (const part of parts) collected.push(part);
  return collected;
}

async function replyTo(chat: Chat, conversation: Conversation, text: string): Promise<Message> {
  const { reply } = await chat.send(conversation.id, text);
  const last = (await collect(chat.follow(reply.id, forever))).at(-1);
  if (last?.type !== "finish") throw new Error("the reply did not finish");
  return last.message;
}

async function gateSources() {
  return storeDocuments(store, [
    {
      name: "visitors.pdf",
      paragraphs: [
        "Visitors sign the green book. The gate closes at 18:30 from October to March.",
        "Dogs wait outside the north gate.",
      ],
    },
  ]);
}

async function conversationAbout(chat: Chat, settings: Partial<ConversationSettings> = {}) {
  return chat.create({ sources: await gateSources(), ...settings });
}

describe("a question about documents", () => {
  it("is answered with citations that say where the quote stands, and is kept", async () => {
    const models = new ScriptedModels(saying("The gate closes at 18:30 from ", "October to March. [", "1] Bye [7]."));
    const chat = chatWith(models);
    const conversation = await conversationAbout(chat);
    const { question, reply } = await chat.send(conversation.id, "When does the gate close from October?");
    const parts = await collect(chat.follow(reply.id, forever));
    const types = parts.map((part) => part.type);
    expect(types[0]).toBe("snapshot");
    expect(types.at(-1)).toBe("finish");
    expect(types).toContain("citation");
    const stored = await store.messages.get(reply.id);
    expect(parts.at(-1)).toEqual({ type: "finish", message: stored });
    expect(stored).toMatchObject({
      state: "complete",
      parentId: question.id,
      model: "scripted",
      finishReason: "stop",
      text: "The gate closes at 18:30 from October to March. [1] Bye [7].",
      retrieval: { found: 2, included: 2, omitted: 0, omittedTurns: 0 },
      usage: { completionTokens: 3, contextSize: 4096 },
      timings: { prefillMs: 20, decodeMs: 100, decodeTokensPerSecond: 20 },
    });
    expect(stored!.citations).toEqual([
      expect.objectContaining({
        number: 1,
        document: "visitors.pdf",
        page: 1,
        quote: "The gate closes at 18:30 from October to March",
        spans: [{ page: 1, start: 30, end: 76 }],
        support: "verbatim",
      }),
    ]);
    expect(models.held).toBe(0);
  });

  it("sends the passages numbered, best first, and keeps the prompt cache to the conversation", async () => {
    const models = new ScriptedModels(saying("ok"));
    const chat = chatWith(models);
    const conversation = await conversationAbout(chat, {
      systemPrompt: "Speak like a sailor.",
      wholeDocuments: false,
    });
    await replyTo(chat, conversation, "When does the gate close from October?");
    const [request] = models.requests;
    expect(request!.cacheOwner).toBe(conversation.id);
    expect(request!.messages[0]!.text).toMatch(/^Speak like a sailor\./u);
    expect(request!.messages.at(-1)!.text).toContain("[1] visitors.pdf, page 1\nVisitors sign");
    expect(request!.messages.at(-1)!.text).toContain("[2] visitors.pdf, page 2\nDogs wait");
  });

  it("searches for a short follow-up together with the question before it", async () => {
    const models = new ScriptedModels(saying("ok"));
    const chat = chatWith(models);
    const conversation = await conversationAbout(chat, { wholeDocuments: false, rewriteQuestions: false });
    await replyTo(chat, conversation, "When does the gate close in October?");
    await replyTo(chat, conversation, "And from then to March?");
    const asked = models.requests.at(-1)!.messages.at(-1)!.text;
    expect(asked).toContain("[2] visitors.pdf, page 2\nDogs wait outside the north gate.");
    expect(asked).toMatch(/Question: And from then to March\?$/u);
  });

  it("says how many earlier turns had to stay out, also without documents", async () => {
    const chat = chatWith(new ScriptedModels(saying("word ".repeat(60)), { contextSize: 200 }));
    const conversation = await chat.create({});
    expect((await replyTo(chat, conversation, "first")).retrieval).toBeNull();
    await replyTo(chat, conversation, "second");
    expect((await replyTo(chat, conversation, "third")).retrieval).toMatchObject({ found: 0, omittedTurns: 1 });
  });

  it("gives the conversation its title, once", async () => {
    const chat = chatWith(new ScriptedModels(saying("ok")));
    const conversation = await conversationAbout(chat);
    await replyTo(chat, conversation, "When does the gate close?");
    await replyTo(chat, conversation, "And who signs the book?");
    expect((await chat.get(conversation.id)).title).toBe("When does the gate close?");
  });
});

describe("versions", () => {
  it("regenerates a reply as a sibling with another seed", async () => {
    const models = new ScriptedModels(saying("ok"));
    const chat = chatWith(models);
    const conversation = await chat.create({});
    await chat.configure(conversation.id, { sampling: { ...conversation.settings.sampling, seed: 41 } });
    const first = await replyTo(chat, conversation, "Hello");
    const { reply } = await chat.regenerate(first.id);
    await collect(chat.follow(reply.id, forever));
    expect(models.requests.map((request) => request.seed)).toEqual([41, 42]);
    const { messages } = await chat.get(conversation.id);
    expect(messages.map((message) => message.id)).toEqual([first.parentId, reply.id]);
    expect(messages[1]!.versions).toEqual([first.id, reply.id]);
    await expect(chat.regenerate(first.parentId!)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(chat.regenerate("nothing")).rejects.toMatchObject({ code: "MESSAGE_NOT_FOUND" });
  });

  it("edits a question as a sibling, whose prompt has the turns before it and not those after", async () => {
    const models = new ScriptedModels(saying("answer [1]"));
    const chat = chatWith(models);
    const conversation = await chat.create({});
    await replyTo(chat, conversation, "first");
    const second = await replyTo(chat, conversation, "second");
    await replyTo(chat, conversation, "third");
    const { question, reply } = await chat.send(conversation.id, "second, better", second.parentId!);
    await collect(chat.follow(reply.id, forever));
    expect(question.versions).toEqual([second.parentId, question.id]);
    expect(
      models.requests
        .at(-1)!
        .messages.slice(1)
        .map((message) => message.text),
    ).toEqual(["first", "answer", "second, better"]);
    expect((await chat.get(conversation.id)).messages.map((message) => message.text)).toEqual([
      "first",
      "answer [1]",
      "second, better",
      "answer [1]",
    ]);
    await expect(chat.send(conversation.id, "x", second.id)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("a reply that does not end well", () => {
  it("keeps its partial text when it is stopped, and frees the model", async () => {
    const { script, paused } = pausing("The gate ", "never said");
    const models = new ScriptedModels(script);
    const chat = chatWith(models);
    const conversation = await chat.create({});
    const { reply } = await chat.send(conversation.id, "When?");
    await paused;
    await expect(chat.send(conversation.id, "Again?")).rejects.toMatchObject({ code: "CONVERSATION_BUSY" });
    await chat.stop(reply.id);
    expect(await store.messages.get(reply.id)).toMatchObject({ state: "cancelled", text: "The gate ", error: null });
    expect(models.held).toBe(0);
    await chat.stop(reply.id);
    await expect(chat.stop("nothing")).rejects.toMatchObject({ code: "MESSAGE_NOT_FOUND" });
  });

  it("is stopped when nobody follows it for 10 s", async () => {
    const { script, paused } = pausing("The gate ", "never said");
    const chat = chatWith(new ScriptedModels(script));
    const conversation = await chat.create({});
    const { reply } = await chat.send(conversation.id, "When?");
    await paused;
    clock.pass(10_000);
    expect((await collect(chat.follow(reply.id, forever))).at(-1)).toMatchObject({ message: { state: "cancelled" } });
  });

  it("is interrupted when the engine dies, and the next question works", async () => {
    let crash = true;
    const models = new ScriptedModels(async function* () {
      yield "The gate ";
      if (crash) throw new CorralError("ENGINE_CRASHED", "The model's process died.", { model: "scripted" });
    });
    const chat = chatWith(models);
    const conversation = await chat.create({});
    expect(await replyTo(chat, conversation, "When?")).toMatchObject({
      state: "interrupted",
      text: "The gate ",
      error: { code: "ENGINE_CRASHED" },
    });
    crash = false;
    expect(await replyTo(chat, conversation, "When?")).toMatchObject({ state: "complete", error: null });
  });

  it("hides what a bug said and says that the log has it", async () => {
    const logged: unknown[] = [];
    const models = new ScriptedModels(async function* () {
      yield "a";
      throw new TypeError("secret");
    });
    const logger = {
      ...silentLogger,
      error: (_event: string, _fields?: object, error?: unknown) => logged.push(error),
    };
    chat = createChat({ mcp: noMcp, store, retrieval: createRetrieval({ store }), models, logger, clock });
    const reply = await replyTo(chat, await chat.create({}), "When?");
    expect(reply).toMatchObject({ state: "failed", text: "a", error: { code: "INTERNAL" } });
    expect(JSON.stringify(reply)).not.toContain("secret");
    expect(logged).toEqual([expect.objectContaining({ message: "secret" })]);
  });

  it("shows the passages found when there is no model", async () => {
    const models = new ScriptedModels(saying("unused"));
    models.failure = new CorralError("NO_MODEL", "No model is installed: add one to get answers.", {});
    const chat = chatWith(models);
    const reply = await replyTo(chat, await conversationAbout(chat), "When does the gate close from October?");
    expect(reply).toMatchObject({ state: "failed", text: "", model: null, error: { code: "NO_MODEL" } });
    expect(reply.citations[0]).toMatchObject({
      number: 1,
      quote: "The gate closes at 18:30 from October to March.",
      spans: [{ page: 1, start: 30, end: 77 }],
    });
    expect(reply.citations).toHaveLength(2);
  });

  it("says when the question does not fit, cutting nothing", async () => {
    const chat = chatWith(new ScriptedModels(saying("unused"), { contextSize: 200 }));
    const reply = await replyTo(chat, await chat.create({}), "word ".repeat(200));
    expect(reply).toMatchObject({ state: "failed", error: { code: "CONTEXT_OVERFLOW", data: { contextTokens: 200 } } });
  });

  it("is interrupted by a shutdown, with its text kept", async () => {
    const { script, paused } = pausing("The gate ", "never said");
    const chat = chatWith(new ScriptedModels(script));
    const { reply } = await chat.send((await chat.create({})).id, "When?");
    await paused;
    await chat[Symbol.asyncDispose]();
    expect(await store.messages.get(reply.id)).toMatchObject({ state: "interrupted", text: "The gate " });
  });

  it("saves the text about once a second while it is written", async () => {
    const { script, paused, goOn } = pausing("The gate ", "closes.");
    const chat = chatWith(new ScriptedModels(script));
    const { reply } = await chat.send((await chat.create({})).id, "When?");
    await paused;
    expect((await store.messages.get(reply.id))!.text).toBe("");
    clock.pass(1000);
    await expect.poll(async () => (await store.messages.get(reply.id))!.text).toBe("The gate ");
    goOn();
    await collect(chat.follow(reply.id, forever));
    expect(await store.messages.get(reply.id)).toMatchObject({ state: "complete", text: "The gate closes." });
  });
});

describe("a model that can only quote", () => {
  const reader = (script: Script) => new ScriptedModels(script, { ability: "quote", name: "Corral Reader" });

  it("may only say a sentence of the documents or the refusal", async () => {
    const models = reader(async function* (request) {
      yield request.alternatives![0]!;
    });
    const chat = chatWith(models);
    const reply = await replyTo(chat, await conversationAbout(chat), "When does the gate close from October?");
    expect(reply.text).toBe("The gate closes at 18:30 from October to March. [1]");
    expect(reply.citations).toEqual([
      expect.objectContaining({
        quote: "The gate closes at 18:30 from October to March.",
        support: "verbatim",
        page: 1,
      }),
    ]);
    expect(models.requests[0]!.messages).toHaveLength(2);
  });

  it("refuses without being asked when nothing in the documents comes close", async () => {
    const models = reader(saying("never"));
    const chat = chatWith(models);
    const reply = await replyTo(chat, await conversationAbout(chat), "Who composed the Goldberg Variations?");
    expect(reply).toMatchObject({ state: "complete", text: "The documents don't say.", citations: [], usage: null });
    expect(models.requests).toEqual([]);
  });

  it("says what it needs when no documents are attached, but greets", async () => {
    const chat = chatWith(reader(saying("never")));
    const conversation = await chat.create({});
    expect(await replyTo(chat, conversation, "When does the gate close?")).toMatchObject({
      state: "failed",
      error: { code: "NO_SOURCES", message: expect.stringContaining("attach a collection") },
    });
    expect((await replyTo(chat, conversation, "Hello!")).text).toBe("Hello! Ask me a question about your documents.");
  });

  it("says when the question is longer than its context", async () => {
    const chat = chatWith(new ScriptedModels(saying("never"), { ability: "quote", contextSize: 100 }));
    const reply = await replyTo(chat, await conversationAbout(chat), "gate ".repeat(100));
    expect(reply).toMatchObject({ state: "failed", error: { code: "CONTEXT_OVERFLOW" } });
  });
});

describe("measuring", () => {
  it("counts system prompt, history and draft by the loaded model", async () => {
    const chat = chatWith(new ScriptedModels(saying("one two three")));
    const conversation = await chat.create({ systemPrompt: "a b" });
    await replyTo(chat, conversation, "c d e");
    // Words, and three for each of the four messages.
    expect(await chat.measure(conversation.id, "f g")).toEqual({
      usedTokens: 2 + 3 + 3 + 2 + 4 * 3,
      contextSize: 4096,
      replyTokens: 1024,
    });
  });

  it("estimates rather than load a model", async () => {
    const models = new ScriptedModels(saying(), { state: "unloaded", contextSize: null });
    const chat = chatWith(models);
    const conversation = await chat.create({ systemPrompt: "x".repeat(35) });
    expect(await chat.measure(conversation.id, "")).toMatchObject({ usedTokens: 10 });
    expect(models.held).toBe(0);
  });
});

describe("the list of conversations", () => {
  it("tells its watchers what changes", async () => {
    const chat = chatWith(new ScriptedModels(saying("ok")));
    const leaving = new AbortController();
    const watching = chat.watch(leaving.signal)[Symbol.asyncIterator]();
    const first = watching.next();
    const conversation = await chat.create({});
    expect((await first).value).toMatchObject({ type: "changed", conversation: { id: conversation.id, title: "" } });
    await chat.rename(conversation.id, "Gate");
    expect((await watching.next()).value).toMatchObject({ type: "changed", conversation: { title: "Gate" } });
    await chat.remove(conversation.id);
    expect((await watching.next()).value).toEqual({ type: "removed", conversationId: conversation.id });
    const last = watching.next();
    leaving.abort();
    expect((await last).done).toBe(true);
    await expect(chat.get(conversation.id)).rejects.toMatchObject({ code: "CONVERSATION_NOT_FOUND" });
  });

  it("stops the reply of a conversation that is removed", async () => {
    const { script, paused } = pausing("The gate ", "never said");
    const models = new ScriptedModels(script);
    const chat = chatWith(models);
    const conversation = await chat.create({});
    const { reply } = await chat.send(conversation.id, "When?");
    await paused;
    await chat.remove(conversation.id);
    expect(models.held).toBe(0);
    expect(await store.messages.get(reply.id)).toBeNull();
  });
});
