import { HumanMessage, SystemMessage, type AIMessageChunk, type ToolMessage } from "@langchain/core/messages";
import { Document } from "@langchain/core/documents";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnablePassthrough, RunnableSequence } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { key, serveApi, type ServedApi } from "../testing/serve-api.ts";

let api: ServedApi;
let model: ChatOpenAI;
let embeddings: OpenAIEmbeddings;

beforeAll(async () => {
  api = await serveApi();
  const configuration = { baseURL: `${api.address}/v1` };
  model = new ChatOpenAI({ model: "scripted", apiKey: key, configuration, maxRetries: 0, temperature: 0 });
  embeddings = new OpenAIEmbeddings({ model: "scripted-embed", apiKey: key, configuration, maxRetries: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.reply = () => ["The answer is four."];
  api.models.requests.length = 0;
});

describe("ChatOpenAI", () => {
  it("chats and streams", async () => {
    const reply = await model.invoke([new SystemMessage("Be brief."), new HumanMessage("What is two and two?")]);
    expect(reply.content).toBe("The answer is four.");
    expect(reply.usage_metadata).toMatchObject({ input_tokens: 13, output_tokens: 4, total_tokens: 17 });
    expect(api.models.requests[0]).toMatchObject({ temperature: 0 });
    let all: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("What is two and two?")) all = all?.concat(chunk) ?? chunk;
    expect(all?.content).toBe("The answer is four.");
    expect(all?.usage_metadata).toMatchObject({ output_tokens: 4 });
  });

  it("calls tools in a loop", async () => {
    api.models.reply = ({ messages }) => {
      const results = messages.filter(({ role }) => role === "tool");
      if (results.length > 0) return [`The sum is ${results.map(({ text }) => text).join()}.`];
      return [{ type: "tool-call", call: { id: "call_1", name: "add", arguments: '{"a":2,"b":2}' } }];
    };
    const add = tool(({ a, b }) => String(a + b), {
      name: "add",
      description: "Adds",
      schema: z.object({ a: z.number(), b: z.number() }),
    });
    const bound = model.bindTools([add], { tool_choice: "add", strict: true });
    const question = new HumanMessage("What is two and two?");
    const first = await bound.invoke([question]);
    expect(first.tool_calls).toMatchObject([{ id: "call_1", name: "add", args: { a: 2, b: 2 } }]);
    const result: ToolMessage = await add.invoke(first.tool_calls![0]!);
    const second = await model.bindTools([add]).invoke([question, first, result]);
    expect(second.content).toBe("The sum is 4.");
    expect(api.models.requests[0]).toMatchObject({ toolChoice: { name: "add" } });

    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await bound.stream([question])) streamed = streamed?.concat(chunk) ?? chunk;
    expect(streamed?.tool_calls).toMatchObject([{ id: "call_1", name: "add", args: { a: 2, b: 2 } }]);
  });

  it("gives structured output by schema and by function call", async () => {
    api.models.reply = ({ tools }) =>
      tools === undefined
        ? ['{"name":"Ada","age":36}']
        : [{ type: "tool-call", call: { id: "c", name: tools[0]!.name, arguments: '{"name":"Ada","age":36}' } }];
    const person = z.object({ name: z.string(), age: z.number() });
    for (const method of ["jsonSchema", "functionCalling"] as const) {
      const structured = model.withStructuredOutput(person, { name: "person", method });
      expect(await structured.invoke("Who?")).toEqual({ name: "Ada", age: 36 });
    }
    expect(api.models.requests[0]?.jsonSchema).toMatchObject({ required: ["name", "age"] });
    expect(api.models.requests[1]?.toolChoice).toEqual({ name: "person" });
  });

  it("speaks the responses API as well", async () => {
    const other = new ChatOpenAI({
      model: "scripted",
      apiKey: key,
      configuration: { baseURL: `${api.address}/v1` },
      maxRetries: 0,
      useResponsesApi: true,
    });
    expect((await other.invoke("What is two and two?")).text).toBe("The answer is four.");
    let text = "";
    for await (const chunk of await other.stream("What is two and two?")) text += chunk.text;
    expect(text).toBe("The answer is four.");
  });
});

describe("a retrieval chain", () => {
  it("of LangChain's parts, with our embeddings and our model", async () => {
    api.models.reply = ({ messages }) => [/Context: ([^\n]*)/u.exec(messages.at(-1)?.text ?? "")?.[1] ?? "nothing"];
    const texts = ["The gate closes at 18:00.", "Dogs are allowed on a lead.", "The pool opens in May."];
    const vectors = await embeddings.embedDocuments(texts);
    const retrieve = RunnableLambda.from(async (question: string) => {
      const asked = await embeddings.embedQuery(question);
      const score = (vector: number[]) => vector.reduce((sum, value, at) => sum + value * asked[at]!, 0);
      const best = vectors.map((vector, at) => ({ at, score: score(vector) })).toSorted((a, b) => b.score - a.score)[0];
      return [new Document({ pageContent: texts[best!.at]! })];
    });
    const chain = RunnableSequence.from([
      {
        context: retrieve.pipe((found: Document[]) => found.map(({ pageContent }) => pageContent).join("\n")),
        question: new RunnablePassthrough<string>(),
      },
      ChatPromptTemplate.fromTemplate("Context: {context}\nQuestion: {question}"),
      model,
      new StringOutputParser(),
    ]);
    expect(await chain.invoke("Are dogs allowed?")).toBe("Dogs are allowed on a lead.");
    expect(await chain.invoke("The gate closes when?")).toBe("The gate closes at 18:00.");
  });

  it("inside Corral, by the name of the model alone", async () => {
    const reader = new ChatOpenAI({
      model: "corral-reader+House rules",
      apiKey: key,
      configuration: { baseURL: `${api.address}/v1` },
      maxRetries: 0,
    });
    const reply = await reader.invoke("When does the gate close in winter?");
    expect(reply.content).toBe("The gate closes at 18:00 in winter. [1]");
  });
});
