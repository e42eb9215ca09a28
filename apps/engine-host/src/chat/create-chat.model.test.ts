import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Conversation, GenerationPart, Message, Sources } from "@corral/protocol";
import { createLlamaEngine } from "../engines/llama-engine.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { writeScriptedLlama } from "../engines/scripted-llama.test-writer.ts";
import { openLogger } from "../logger.ts";
import { createModels } from "../models/create-models.ts";
import type { Models } from "../models/models.ts";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import type { Chat } from "./chat.ts";
import { noMcp } from "./testing/no-mcp.ts";
import { createChat } from "./create-chat.ts";
import { documents, questions } from "./fixtures/questions.ts";
import { storeDocuments, temporaryStore } from "./testing/stored-documents.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const forever = new AbortController().signal;
const logger = openLogger({ directory: null, stderr: null });

let home: Awaited<ReturnType<typeof temporaryStore>>;
let models: Models;
let chat: Chat;
let sources: Sources;
/** A chat model whose reply is long enough that something can happen while it is written. */
let storyteller: string;
const story = Array.from({ length: 700 }, (_, at) => ` word${at}`);

beforeAll(async () => {
  home = await temporaryStore();
  const { store } = home;
  sources = await storeDocuments(store, [...documents, { name: "regatta.txt", paragraphs: [longSentence] }]);
  models = createModels({
    store,
    engine: createLlamaEngine({ logger }),
    hardware: createHardware({ diskPath: home.directory }),
    logger,
    embeddedModelPath: readerPath,
  });
  const storytellerPath = join(home.directory, "storyteller.gguf");
  await writeScriptedLlama(storytellerPath, { scripts: { "\n": story } });
  storyteller = (await models.add(storytellerPath, { inPassing: true })).id;
  chat = createChat({ mcp: noMcp, store, retrieval: createRetrieval({ store }), models, logger });
});
afterAll(async () => {
  await chat[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

async function collect(parts: AsyncIterable<GenerationPart>): Promise<GenerationPart[]> {
  const collected: GenerationPart[] = [];
  for await (const part of parts) collected.push(part);
  return collected;
}

function shownText(parts: GenerationPart[]): string {
  return parts.reduce((text, part) => {
    if (part.type === "snapshot") return part.message.text;
    return part.type === "text-delta" ? text + part.text : text;
  }, "");
}

async function ask(conversation: Conversation, question: string): Promise<Message> {
  const { reply } = await chat.send(conversation.id, question);
  await collect(chat.follow(reply.id, forever));
  return (await home.store.messages.get(reply.id))!;
}

/** Follows a reply until its first words are there. */
async function firstWords(messageId: string, signal: AbortSignal): Promise<string> {
  for await (const part of chat.follow(messageId, signal)) {
    if (part.type === "text-delta") return part.text;
    if (part.type === "snapshot" && part.message.text !== "") return part.message.text;
  }
  throw new Error("the reply ended without a word");
}

/** A long sentence, and a question it answers. */
const longSentence =
  "The regatta committee postpones a race when the wind at the pier exceeds twenty-five knots, when fog hides the red buoy from the starter, when fewer than five boats have crossed the harbour line by the warning signal, when the rescue boat is out on a call, or when the harbour master asks for the fairway to be kept free for a ferry, a tanker or a ship of the coast guard that is due within the hour.";
const longAnswer = "When does the regatta committee postpone a race?";

describe("the reader, through retrieval, evidence and the real engine", () => {
  it("quotes the sentence that answers, and the citation points at it on its page", async () => {
    const conversation = await chat.create({ sources });
    const reply = await ask(conversation, "When did the Harbour Museum open?");
    expect(reply).toMatchObject({
      state: "complete",
      model: "corral-reader",
      text: "The Harbour Museum opened in 1962 in a former rope factory. [1]",
      finishReason: "stop",
      error: null,
    });
    const [citation] = reply.citations;
    expect(citation).toMatchObject({ number: 1, document: "museum-audio-guide.md", page: 1, support: "verbatim" });
    expect(citation!.quote).toBe("The Harbour Museum opened in 1962 in a former rope factory.");
    const page = await home.store.pages.get(citation!.documentId, citation!.page!);
    const [span] = citation!.spans;
    expect(page!.text.slice(span!.start, span!.end)).toBe(citation!.quote);
    expect(reply.usage!.completionTokens).toBeGreaterThan(5);
    expect(reply.timings!.decodeTokensPerSecond).toBeGreaterThan(0);
    expect(reply.timings!.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it("refuses a question about something else, and what the threshold lets through it may refuse itself", async () => {
    const conversation = await chat.create({ sources });
    for (const { question } of questions.filter(({ kind }) => kind === "other topic").slice(0, 4))
      expect(await ask(conversation, question)).toMatchObject({ text: "The documents don't say.", citations: [] });
  });

  it("answers nine of ten questions of the fixture, and every answer is word for word from a document", async () => {
    const conversation = await chat.create({ sources });
    const asked = questions.filter(({ kind }) => kind === "answerable");
    let right = 0;
    for (const { question, answer } of asked) {
      const reply = await ask(conversation, question);
      if (reply.text.includes(answer!)) right++;
      if (reply.citations.length > 0) expect(`${reply.citations[0]!.quote} [1]`).toBe(reply.text);
    }
    expect(right / asked.length).toBeGreaterThanOrEqual(0.9);
  });

  it("greets, says what it is, and says what it needs", async () => {
    const conversation = await chat.create({});
    expect((await ask(conversation, "Hello")).text).toMatch(/^Hello! Ask me/u);
    expect((await ask(conversation, "Who are you?")).text).toContain("small built-in reader");
    expect((await ask(conversation, "When does the museum open?")).error).toMatchObject({ code: "NO_SOURCES" });
  });

  it("measures a draft with the model's own tokens", async () => {
    const conversation = await chat.create({ sources });
    const empty = await chat.measure(conversation.id, "");
    const draft = await chat.measure(conversation.id, "When did the Harbour Museum open?");
    expect(empty.contextSize).toBe(1024);
    expect(draft.usedTokens).toBeGreaterThan(empty.usedTokens + 4);
  });
});

describe("while the reader answers", () => {
  it("gives two followers, one of whom left and came back, the whole text exactly once", async () => {
    const conversation = await chat.create({ sources });
    const { reply } = await chat.send(conversation.id, longAnswer);
    const steady = collect(chat.follow(reply.id, forever));
    const leaving = new AbortController();
    await firstWords(reply.id, leaving.signal);
    leaving.abort();
    const returned = await collect(chat.follow(reply.id, forever));
    const { text } = (await home.store.messages.get(reply.id))!;
    expect(text).toBe(`${longSentence} [1]`);
    expect(shownText(await steady)).toBe(text);
    expect(shownText(returned)).toBe(text);
    expect(returned[0]?.type).toBe("snapshot");
    expect(returned.at(-1)?.type).toBe("finish");
    const later = await collect(chat.follow(reply.id, forever));
    expect(later.map((part) => part.type)).toEqual(["snapshot", "finish"]);
    expect(shownText(later)).toBe(text);
  });
});

describe("while a model writes a long reply", () => {
  it("stops when asked, with the partial text kept", async () => {
    const conversation = await chat.create({ model: storyteller });
    const { reply } = await chat.send(conversation.id, "Tell me a story.");
    const said = await firstWords(reply.id, forever);
    await chat.stop(reply.id);
    const stored = (await home.store.messages.get(reply.id))!;
    expect(stored).toMatchObject({ state: "cancelled", error: null });
    expect(stored.text.startsWith(said)).toBe(true);
    expect(story.join("").startsWith(stored.text)).toBe(true);
    expect(stored.text).not.toContain(story.at(-1));
  });

  it("keeps the partial text when its process is killed, and answers the next question", async () => {
    const conversation = await chat.create({ model: storyteller });
    const { reply } = await chat.send(conversation.id, "Tell me a story.");
    const said = await firstWords(reply.id, forever);
    {
      await using lease = await models.acquire(storyteller, { signal: forever });
      process.kill((lease.model as unknown as { pid: number }).pid, "SIGKILL");
    }
    expect((await collect(chat.follow(reply.id, forever))).at(-1)?.type).toBe("finish");
    const stored = (await home.store.messages.get(reply.id))!;
    expect(stored).toMatchObject({ state: "interrupted", error: { code: "ENGINE_CRASHED" } });
    expect(stored.text.startsWith(said)).toBe(true);
    expect((await ask(conversation, "And now?")).text).toContain(story[20]);
  });
});
