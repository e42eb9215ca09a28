import { OpenAI, OpenAIAgent, OpenAIEmbedding } from "@llamaindex/openai";
import { Document, Settings, tool, VectorStoreIndex } from "llamaindex";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { key, serveApi, type ServedApi } from "../testing/serve-api.ts";

let api: ServedApi;
let llm: OpenAI;

beforeAll(async () => {
  api = await serveApi();
  const given = { apiKey: key, baseURL: `${api.address}/v1`, maxRetries: 0 };
  llm = new OpenAI({ model: "scripted", ...given });
  Settings.llm = llm;
  Settings.embedModel = new OpenAIEmbedding({ model: "scripted-embed", ...given });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.reply = () => ["The answer is four."];
  api.models.requests.length = 0;
});

const messages = [{ role: "user" as const, content: "What is two and two?" }];

describe("LlamaIndex", () => {
  it("chats and streams", async () => {
    const reply = await llm.chat({ messages });
    expect(reply.message.content).toBe("The answer is four.");
    let text = "";
    for await (const chunk of await llm.chat({ messages, stream: true })) text += chunk.delta;
    expect(text).toBe("The answer is four.");
    expect((await llm.complete({ prompt: "What is two and two?" })).text).toBe("The answer is four.");
  });

  it("gives structured output", async () => {
    api.models.reply = () => ['{"name":"Ada"}'];
    const reply = await llm.chat({ messages, responseFormat: z.object({ name: z.string() }) });
    expect(JSON.parse(reply.message.content as string)).toEqual({ name: "Ada" });
    expect(api.models.requests[0]?.jsonSchema).toMatchObject({ type: "object", required: ["name"] });
  });

  it("calls tools in its agent's loop", async () => {
    api.models.reply = ({ messages: turns }) => {
      const result = turns.findLast(({ role }) => role === "tool");
      return result === undefined
        ? [{ type: "tool-call", call: { id: "call_1", name: "add", arguments: '{"a":2,"b":2}' } }]
        : [`The sum is ${result.text}.`];
    };
    const add = tool({
      name: "add",
      description: "Adds two numbers",
      parameters: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }) => String(a + b),
    });
    const agent = new OpenAIAgent({ llm, tools: [add] });
    const reply = await agent.chat({ message: "What is two and two?" });
    expect(reply.message.content).toBe("The sum is 4.");
    expect(api.models.requests.at(-1)?.messages.at(-1)).toMatchObject({
      role: "tool",
      text: "4",
      toolCallId: "call_1",
    });
  });

  it("answers from an index of its own, embedded and written here", async () => {
    api.models.reply = ({ messages: turns }) => {
      const prompt = turns.map(({ text }) => text).join("\n");
      return [prompt.includes("Dogs are allowed on a lead.") ? "On a lead." : "Not said."];
    };
    const texts = ["The gate closes at 18:00.", "Dogs are allowed on a lead.", "The pool opens in May."];
    const index = await VectorStoreIndex.fromDocuments(texts.map((text) => new Document({ text })));
    const engine = index.asQueryEngine({ similarityTopK: 1 });
    const answer = await engine.query({ query: "Are dogs allowed?" });
    expect(answer.toString()).toBe("On a lead.");
    expect(answer.sourceNodes).toHaveLength(1);
  });
});
