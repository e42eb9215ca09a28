import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { CorralError } from "@corral/protocol";
import { key, serveApi, type ServedApi } from "../testing/serve-api.ts";

let api: ServedApi;
let client: OpenAI;

beforeAll(async () => {
  api = await serveApi();
  client = new OpenAI({ baseURL: `${api.address}/v1`, apiKey: key, maxRetries: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.reply = () => ["The answer is four."];
  api.models.generateFailure = null;
  api.models.acquireFailure = null;
  api.models.requests.length = 0;
});

const model = "scripted";
const question = { role: "user" as const, content: "What is two and two?" };
const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather of a place",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe("chat completions", () => {
  it("answer whole", async () => {
    const reply = await client.chat.completions.create({ model, messages: [question], seed: 7, stop: ["END"] });
    expect(reply).toMatchObject({
      object: "chat.completion",
      model,
      system_fingerprint: "corral-9.9.9",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "The answer is four." } }],
      usage: {
        prompt_tokens: 8,
        completion_tokens: 4,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 2 },
      },
    });
    expect(reply.id).toMatch(/^chatcmpl-/);
    expect(api.models.requests[0]).toMatchObject({ seed: 7, stop: ["END"], temperature: 0.6, cacheOwner: "api:owner" });
  });

  it("stream, with usage when asked", async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [question],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "", refusal: null });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("The answer is four.");
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 8, completion_tokens: 4 } });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);

    const plain = await client.chat.completions.create({ model, messages: [question], stream: true });
    for await (const chunk of plain) expect(chunk.usage).toBeUndefined();
  });

  it("give several choices, each with its own seed", async () => {
    const reply = await client.chat.completions.create({ model, messages: [question], n: 3, seed: 5 });
    expect(reply.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(reply.usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 12 });
    expect(api.models.requests.map(({ seed }) => seed)).toEqual([5, 6, 7]);
  });

  it("tell how likely the tokens were", async () => {
    const asked = { model, messages: [question], logprobs: true, top_logprobs: 2 };
    const reply = await client.chat.completions.create(asked);
    const content = reply.choices[0]?.logprobs?.content ?? [];
    expect(content.map(({ token }) => token).join("")).toBe("The answer is four.");
    expect(content[0]).toMatchObject({ logprob: -0.5, bytes: [84, 104, 101, 32] });
    expect(content[0]?.top_logprobs).toHaveLength(2);
    let streamed = 0;
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
      streamed += chunk.choices[0]?.logprobs?.content?.length ?? 0;
    }
    expect(streamed).toBe(4);
  });

  it("call tools in a loop, by the client's own runner", async () => {
    api.models.reply = ({ messages }) => {
      const results = messages.filter(({ role }) => role === "tool");
      if (results.length === 2) return [`It is ${results.map(({ text }) => text).join(" and ")}.`];
      return ["Ulm", "Bonn"].map((city, at) => ({
        type: "tool-call" as const,
        call: { id: `call_${at}`, name: "get_weather", arguments: JSON.stringify({ city }) },
      }));
    };
    const runner = client.chat.completions.runTools({
      model,
      messages: [question],
      tools: [
        {
          type: "function",
          function: {
            ...weather.function,
            parse: JSON.parse as (text: string) => { city: string },
            function: ({ city }: { city: string }) => `sunny in ${city}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("It is sunny in Ulm and sunny in Bonn.");
    const [first, second] = api.models.requests;
    expect(first?.tools).toEqual([
      {
        name: "get_weather",
        description: "The weather of a place",
        parameters: weather.function.parameters,
        strict: false,
      },
    ]);
    expect(second?.messages.slice(1)).toEqual([
      {
        role: "assistant",
        text: "",
        toolCalls: [
          { id: "call_0", name: "get_weather", arguments: '{"city":"Ulm"}' },
          { id: "call_1", name: "get_weather", arguments: '{"city":"Bonn"}' },
        ],
      },
      { role: "tool", text: "sunny in Ulm", toolCallId: "call_0" },
      { role: "tool", text: "sunny in Bonn", toolCallId: "call_1" },
    ]);
  });

  it("stream calls so that the client's accumulator puts them together", async () => {
    api.models.reply = () => [
      "Let me look. ",
      ...["a", "b"].map((id) => ({
        type: "tool-call" as const,
        call: { id, name: "get_weather", arguments: `{"city":"${id}"}` },
      })),
    ];
    const stream = client.chat.completions.stream({ model, messages: [question], tools: [weather] });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "Let me look. ",
        tool_calls: [
          { id: "a", type: "function", function: { name: "get_weather", arguments: '{"city":"a"}' } },
          { id: "b", type: "function", function: { name: "get_weather", arguments: '{"city":"b"}' } },
        ],
      },
    });
  });

  it("pass every way to choose a tool on", async () => {
    for (const [given, expected] of [
      ["auto", "auto"],
      ["none", "none"],
      ["required", "required"],
      [{ type: "function", function: { name: "get_weather" } }, { name: "get_weather" }],
    ] as const) {
      await client.chat.completions.create({
        model,
        messages: [question],
        tools: [weather],
        tool_choice: given,
        parallel_tool_calls: false,
      });
      expect(api.models.requests.at(-1)).toMatchObject({ toolChoice: expected, parallelToolCalls: false });
    }
  });

  it("give structured output the client parses", async () => {
    api.models.reply = ({ jsonSchema }) => [jsonSchema ? '{"name":"Ada","age":36}' : "no schema"];
    const person = z.object({ name: z.string(), age: z.number() });
    const reply = await client.chat.completions.parse({
      model,
      messages: [question],
      response_format: zodResponseFormat(person, "person"),
    });
    expect(reply.choices[0]?.message.parsed).toEqual({ name: "Ada", age: 36 });
    expect(api.models.requests[0]?.jsonSchema).toMatchObject({ type: "object", required: ["name", "age"] });
    await client.chat.completions.create({ model, messages: [question], response_format: { type: "json_object" } });
    expect(api.models.requests[1]?.jsonSchema).toEqual({ type: "object" });
  });

  it("answer from documents with annotations, whole and streamed, by field and by name", async () => {
    api.models.reply = () => ["The gate closes at 18:00 in winter [1]. That is all."];
    const asked = { role: "user" as const, content: "When does the gate close in winter?" };
    const annotation = {
      type: "url_citation",
      url_citation: { title: "rules.pdf, page 2", start_index: 35, end_index: 38 },
      corral: {
        number: 1,
        document: "rules.pdf",
        page: 2,
        quote: "The gate closes at 18:00 in winter",
        support: "verbatim",
      },
    };
    const byField = await client.chat.completions.create({
      model,
      messages: [{ role: "system", content: "Be brief." }, asked],
      corral: { collections: ["house rules"] },
    } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    expect(byField.choices[0]?.message.annotations).toMatchObject([annotation]);
    expect(byField).toMatchObject({ corral: { retrieval: { included: 3, omitted: 0 } } });
    expect(api.models.requests[0]?.messages[0]?.text).toContain("Be brief.");
    expect(api.models.requests[0]?.messages.at(-1)?.text).toContain("The gate closes at 18:00");

    const stream = await client.chat.completions.create({
      model: `${model}+House rules`,
      messages: [asked],
      stream: true,
    });
    const annotations = [];
    let last: unknown;
    for await (const chunk of stream) {
      last = chunk;
      const delta = chunk.choices[0]?.delta as { annotations?: unknown[] } | undefined;
      annotations.push(...(delta?.annotations ?? []));
    }
    expect(annotations).toMatchObject([annotation]);
    expect(last).toMatchObject({ choices: [{ finish_reason: "stop" }], corral: { retrieval: { included: 3 } } });
  });

  it("quote word for word with the reader model", async () => {
    const reply = await client.chat.completions.create({
      model: "corral-reader+House rules",
      messages: [{ role: "user", content: "When does the gate close in winter?" }],
    });
    expect(reply.choices[0]?.message).toMatchObject({
      content: "The gate closes at 18:00 in winter. [1]",
      annotations: [{ corral: { page: 2, support: "verbatim" } }],
    });
    await expect(
      client.chat.completions.create({ model: "corral-reader", messages: [question] }),
    ).rejects.toMatchObject({
      status: 400,
      code: "no_sources",
      message: expect.stringContaining("corral-reader+COLLECTION") as string,
    });
  });

  it("say in OpenAI's words what went wrong", async () => {
    const send = (given: object = {}) =>
      client.chat.completions.create({
        model,
        messages: [question],
        ...given,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    await expect(send({ model: "gpt-4o" })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(send({ model: "gpt-4o" })).rejects.toMatchObject({ code: "model_not_found", param: "model" });
    await expect(send({ model: `${model}+Nothing` })).rejects.toMatchObject({ code: "collection_not_found" });
    await expect(send({ max_tokens: 5_000 })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      type: "invalid_request_error",
    });
    await expect(send({ model: "scripted-embed" })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("/v1/embeddings") as string,
    });
    const wrong = new OpenAI({ baseURL: `${api.address}/v1`, apiKey: "wrong", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);

    api.models.generateFailure = new CorralError("RATE_LIMITED", "Enough for now.", {
      limit: "day",
      retryAfterMs: 2_100,
    });
    const limited = await send().catch((error: unknown) => error as InstanceType<typeof OpenAI.APIError>);
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
    expect((limited as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("3");
    api.models.generateFailure = new CorralError("QUEUE_FULL", "Too many wait.", { queued: 9, retryAfterMs: 500 });
    await expect(send()).rejects.toMatchObject({ status: 503, code: "overloaded" });
    // Also where a stream was asked for: nothing had begun.
    await expect(send({ stream: true })).rejects.toMatchObject({ status: 503, code: "overloaded" });
  });

  it("end a stream that breaks with an error the client throws", async () => {
    api.models.reply = function* () {
      yield "Half an ";
      throw new CorralError("ENGINE_CRASHED", "The engine stopped.", { model });
    };
    const stream = await client.chat.completions.create({ model, messages: [question], stream: true });
    let text = "";
    const read = async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    };
    await expect(read()).rejects.toMatchObject({ message: "The engine stopped.", code: "model_unavailable" });
    expect(text).toBe("Half an ");
    expect(api.models.held).toBe(0);
  });

  it("stop when the client aborts", async () => {
    api.models.reply = function* () {
      for (let at = 0; at < 1_000; at++) yield* [{ pauseMs: 20 }, "word "];
    };
    const stopped = api.models.stopped;
    const stream = await client.chat.completions.create({ model, messages: [question], stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await expect.poll(() => api.models.stopped).toBe(stopped + 1);
    await expect.poll(() => api.models.held).toBe(0);
  });
});

describe("completions", () => {
  it("continue raw text, whole and streamed, for several prompts", async () => {
    api.models.reply = ({ prompt }) => [`${prompt} and more`];
    const reply = await client.completions.create({ model, prompt: ["one", "two"], max_tokens: 8, echo: true });
    expect(reply.choices.map(({ text, finish_reason }) => [text, finish_reason])).toEqual([
      ["oneone and more", "stop"],
      ["twotwo and more", "stop"],
    ]);
    expect(reply.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 6 });
    expect(api.models.requests[0]).toMatchObject({ messages: [], prompt: "one", maxTokens: 8 });

    let text = "";
    const stream = await client.completions.create({ model, prompt: "one", stream: true, logprobs: 1 });
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
    expect(text).toBe("one and more");
  });
});

describe("embeddings", () => {
  it("come as the client decodes them, and as floats", async () => {
    const packed = await client.embeddings.create({ model: "scripted-embed", input: ["a text", "another"] });
    const floats = await client.embeddings.create({
      model: "scripted-embed",
      input: ["a text", "another"],
      encoding_format: "float",
    });
    expect(packed.data).toHaveLength(2);
    expect(packed.data[0]?.embedding).toEqual(floats.data[0]?.embedding);
    expect(packed.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    await expect(
      client.embeddings.create({ model: "scripted-embed", input: "a", dimensions: 4 }),
    ).rejects.toMatchObject({ status: 400, param: "dimensions" });
    await expect(client.embeddings.create({ model: "scripted-embed", input: [1, 2, 3] })).rejects.toMatchObject({
      status: 400,
      param: "input",
    });
    await expect(client.embeddings.create({ model, input: "a" })).rejects.toMatchObject({ status: 400 });
    await expect(
      client.embeddings.create({ model: "scripted-embed", input: "long ".repeat(100) }),
    ).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  });
});

describe("models", () => {
  it("are listed with their collections", async () => {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual([
      "scripted",
      "scripted+House rules",
      "corral-reader",
      "corral-reader+House rules",
      "scripted-embed",
      "scripted-rank",
    ]);
    expect(await client.models.retrieve("scripted+House rules")).toMatchObject({ id: "scripted+House rules" });
    await expect(client.models.retrieve("nothing")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});
