import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultSampling, type ConversationSettings, type GenerationPart, type Message } from "@corral/protocol";
import { createRetrieval } from "../retrieval/create-retrieval.ts";
import type { Store } from "../store/store.ts";
import type { Chat } from "./chat.ts";
import { createChat } from "./create-chat.ts";
import { noMcp } from "./testing/no-mcp.ts";
import { ScriptedModels } from "./testing/scripted-models.ts";
import { storeDocuments, temporaryStore } from "./testing/stored-documents.ts";

const forever = new AbortController().signal;
const silentLogger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, [Symbol.dispose]() {} };
const contextSize = 600;

let home: Awaited<ReturnType<typeof temporaryStore>>;
let store: Store;
let chat: Chat;
let models: ScriptedModels;

beforeAll(async () => {
  home = await temporaryStore();
  store = home.store;
});
afterEach(() => chat[Symbol.asyncDispose]());
afterAll(() => home[Symbol.asyncDispose]());

const isNotes = (text: string) => text.startsWith("You keep the notes");

/** Answers each question with many words, and a request for notes with short ones that count them. */
function open() {
  let notes = 0;
  models = new ScriptedModels(
    async function* ({ messages }) {
      if (isNotes(messages[0]!.text)) yield `Notes number ${++notes}.`;
      else yield `Answer ${"word ".repeat(60)}`;
    },
    { contextSize },
  );
  chat = createChat({ mcp: noMcp, store, retrieval: createRetrieval({ store }), models, logger: silentLogger });
}

const settings = (given: Partial<ConversationSettings>): Partial<ConversationSettings> => ({
  sampling: { ...defaultSampling, maxTokens: 100 },
  ...given,
});

async function ask(conversationId: string, text: string): Promise<{ message: Message; parts: GenerationPart[] }> {
  const { reply } = await chat.send(conversationId, text);
  const parts: GenerationPart[] = [];
  for await (const part of chat.follow(reply.id, forever)) parts.push(part);
  const last = parts.at(-1);
  if (last?.type !== "finish") throw new Error("the reply did not finish");
  return { message: last.message, parts };
}

/** Asks until the conversation is over its context; answers the replies. */
async function talk(conversationId: string, questions: number): Promise<Message[]> {
  const replies: Message[] = [];
  for (let at = 0; at < questions; at++) replies.push((await ask(conversationId, `Question ${at}?`)).message);
  return replies;
}
const answerRequests = () => models.requests.filter(({ messages }) => !isNotes(messages[0]!.text));

describe("a conversation that no longer fits", () => {
  it("drops its oldest turns and says how many", async () => {
    open();
    const { id } = await chat.create(settings({}));
    const replies = await talk(id, 9);
    expect(replies.map(({ state }) => state)).toEqual(Array(9).fill("complete"));
    expect(replies[0]!.retrieval).toBeNull();
    const report = replies.at(-1)!.retrieval!;
    expect(report.omittedTurns).toBeGreaterThan(0);
    expect(report.omittedTokens).toBeGreaterThan(60 * report.omittedTurns);
    const kept = (answerRequests().at(-1)!.messages.length - 2) / 2;
    expect(kept + report.omittedTurns).toBe(8);
  });

  it("stops, offering what would help, and goes on once that is chosen", async () => {
    open();
    const { id } = await chat.create(settings({ overflow: "stop" }));
    const replies = await talk(id, 9);
    const failed = replies.at(-1)!;
    expect(failed).toMatchObject({
      state: "failed",
      text: "",
      error: { code: "CONTEXT_OVERFLOW", data: { contextTokens: contextSize, choices: ["drop-oldest", "summarise"] } },
    });
    const { promptTokens } = failed.error!.data as { promptTokens: number };
    expect(promptTokens).toBeGreaterThan(contextSize - 100);
    await chat.configure(id, { overflow: "drop-oldest" });
    const { reply } = await chat.regenerate(failed.id);
    for await (const _ of chat.follow(reply.id, forever));
    expect((await store.messages.get(reply.id))!.state).toBe("complete");
  });

  it("is summarised: the summary is shown, kept, used again, and written anew only when it must be", async () => {
    open();
    const { id } = await chat.create(settings({ overflow: "summarise" }));
    const replies = await talk(id, 10);
    const first = replies.findIndex(({ summary }) => summary !== null);
    expect(first).toBeGreaterThan(2);
    const { summary, retrieval } = replies[first]!;
    expect(summary).toMatchObject({ text: "Notes number 1." });
    expect(retrieval).toMatchObject({ summarisedTurns: summary!.turns, omittedTurns: 0 });
    expect(summary!.throughMessageId).toBe(replies[summary!.turns - 1]!.id);
    // The next question uses the same notes, so that its prompt begins as the one before.
    expect(replies[first + 1]!.summary).toEqual(summary);
    const last = answerRequests().at(-1)!.messages;
    expect(last[2]!.text).toMatch(/^Notes number \d\.$/u);
    expect(last[1]!.role).toBe("user");

    const more = await talk(id, 8);
    const newest = more.at(-1)!.summary!;
    expect(newest.turns).toBeGreaterThan(summary!.turns);
    const notes = models.requests.filter(({ messages }) => isNotes(messages[0]!.text));
    expect(notes.length).toBeLessThan(8);
    expect(notes[1]!.messages[1]!.text).toContain("Notes so far:\nNotes number 1.");
    // Never in the place of the conversation's own KV cache.
    expect(notes[0]!.cacheOwner).not.toBe(answerRequests()[0]!.cacheOwner);
    // What is summarised is not lost: the messages are all there.
    expect((await chat.get(id)).messages).toHaveLength(36);
  });

  it("tells while it is summarised, and stopping stops that too", async () => {
    const asked = Promise.withResolvers<void>();
    models = new ScriptedModels(
      async function* ({ messages }, signal) {
        if (!isNotes(messages[0]!.text)) return yield `Answer ${"word ".repeat(60)}`;
        asked.resolve();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        yield "never used";
      },
      { contextSize },
    );
    chat = createChat({ mcp: noMcp, store, retrieval: createRetrieval({ store }), models, logger: silentLogger });
    const { id } = await chat.create(settings({ overflow: "summarise" }));
    let stopped: Message | null = null;
    for (let at = 0; at < 10 && stopped === null; at++) {
      const { reply } = await chat.send(id, `Question ${at}?`);
      const ended = (async () => {
        const parts: GenerationPart[] = [];
        for await (const part of chat.follow(reply.id, forever)) parts.push(part);
        return parts;
      })();
      if ((await Promise.race([ended, asked.promise])) !== undefined) continue;
      await chat.stop(reply.id);
      expect((await ended).some((part) => part.type === "waiting" && part.reason === "summarising")).toBe(true);
      stopped = await store.messages.get(reply.id);
    }
    expect(stopped).toMatchObject({ state: "cancelled", text: "", summary: null });
  });

  it("keeps its turns and shows fewer passages instead", async () => {
    open();
    const paragraphs = Array.from({ length: 8 }, (_, at) => `Rule ${at} of the gate: ${"detail ".repeat(30)}`);
    const sources = await storeDocuments(store, [{ name: "rules.pdf", paragraphs }]);
    const { id } = await chat.create(settings({ sources }));
    await talk(id, 3);
    const dropped = (await ask(id, "Which rule of the gate?")).message;
    await chat.configure(id, { overflow: "shorter-documents" });
    const { reply } = await chat.regenerate(dropped.id);
    for await (const _ of chat.follow(reply.id, forever));
    const shorter = (await store.messages.get(reply.id))!.retrieval!;
    expect(dropped.retrieval!.omittedTurns).toBeGreaterThan(shorter.omittedTurns);
    expect(shorter.included).toBeLessThan(dropped.retrieval!.included);
    expect(shorter.included).toBeGreaterThan(0);
    expect(shorter.omitted).toBe(shorter.found - shorter.included);
  });
});
