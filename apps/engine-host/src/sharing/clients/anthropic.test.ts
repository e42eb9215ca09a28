import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CorralError } from "@corral/protocol";
import { key, serveApi, type ServedApi } from "../testing/serve-api.ts";

let api: ServedApi;
let client: Anthropic;

beforeAll(async () => {
  api = await serveApi();
  client = new Anthropic({ baseURL: api.address, apiKey: key, maxRetries: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.reply = () => ["The answer is four."];
  api.models.generateFailure = null;
  api.models.requests.length = 0;
});

const model = "scripted";
const question = { role: "user" as const, content: "What is two and two?" };
const weather: Anthropic.Tool = {
  name: "get_weather",
  description: "The weather of a place",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

describe("messages", () => {
  it("answer whole", async () => {
    const reply = await client.messages.create({
      model,
      max_tokens: 100,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      messages: [question],
      stop_sequences: ["END"],
      temperature: 0,
      top_k: 5,
      metadata: { user_id: "u" },
      // Older clients and other models' sampling: no longer among the client's types.
    } as Anthropic.MessageCreateParamsNonStreaming);
    expect(reply).toMatchObject({
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: "The answer is four.", citations: null }],
      stop_reason: "end_turn",
      stop_sequence: null,
      // The two that were in the KV cache are counted apart.
      usage: { input_tokens: 11, cache_read_input_tokens: 2, cache_creation_input_tokens: 0, output_tokens: 4 },
    });
    expect(api.models.requests[0]).toMatchObject({
      messages: [
        { role: "system", text: "Be brief." },
        { role: "user", text: question.content },
      ],
      maxTokens: 100,
      stop: ["END"],
      temperature: 0,
      topK: 5,
    });
  });

  it("stream the events the client's own accumulator takes", async () => {
    const stream = client.messages.stream({ model, max_tokens: 100, messages: [question] });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual([
      "message_start",
      "content_block_start",
      ...Array<string>(4).fill("content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(await stream.finalText()).toBe("The answer is four.");
    expect(await stream.finalMessage()).toMatchObject({
      stop_reason: "end_turn",
      usage: { input_tokens: 6, cache_read_input_tokens: 2, output_tokens: 4 },
    });
  });

  it("say why they ended", async () => {
    const ask = (max_tokens = 100) => client.messages.create({ model, max_tokens, messages: [question] });
    expect(await ask(2)).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 2 } });
    api.models.reply = () => ["one", { end: "stop", stopText: "END" }];
    expect(await ask()).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "END" });
  });

  it("use tools in a loop, whole and streamed", async () => {
    api.models.reply = ({ messages }) => {
      const results = messages.filter(({ role }) => role === "tool");
      if (results.length > 0) return [`It is ${results.map(({ text }) => text).join(" and ")}.`];
      return [
        "Let me look.",
        ...["Ulm", "Bonn"].map((city, at) => ({
          type: "tool-call" as const,
          call: { id: `toolu_${at}`, name: "get_weather", arguments: JSON.stringify({ city }) },
        })),
      ];
    };
    const asked = { model, max_tokens: 100, messages: [question], tools: [weather] };
    const first = await client.messages.create(asked);
    expect(first.stop_reason).toBe("tool_use");
    expect(first.content).toMatchObject([
      { type: "text", text: "Let me look." },
      { type: "tool_use", id: "toolu_0", name: "get_weather", input: { city: "Ulm" } },
      { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Bonn" } },
    ]);
    const streamed = await client.messages.stream(asked).finalMessage();
    expect(streamed.content).toMatchObject([
      { type: "text", text: "Let me look." },
      { type: "tool_use", id: "toolu_0", input: { city: "Ulm" } },
      { type: "tool_use", id: "toolu_1", input: { city: "Bonn" } },
    ]);
    const second = await client.messages.create({
      ...asked,
      messages: [
        question,
        { role: "assistant", content: first.content },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_0", content: [{ type: "text", text: "sunny" }] },
            { type: "tool_result", tool_use_id: "toolu_1", content: "unreachable", is_error: true },
            { type: "text", text: "Well?" },
          ],
        },
      ],
    });
    expect(second.content).toMatchObject([{ text: "It is sunny and Error: unreachable." }]);
    expect(api.models.requests.at(-1)?.messages.slice(1)).toMatchObject([
      { role: "assistant", text: "Let me look.", toolCalls: [{ id: "toolu_0" }, { id: "toolu_1" }] },
      { role: "tool", text: "sunny", toolCallId: "toolu_0" },
      { role: "tool", text: "Error: unreachable", toolCallId: "toolu_1" },
      { role: "user", text: "Well?" },
    ]);
  });

  it("pass every way to choose a tool on", async () => {
    for (const [given, expected] of [
      [
        { type: "auto", disable_parallel_tool_use: true },
        { toolChoice: "auto", parallelToolCalls: false },
      ],
      [{ type: "any" }, { toolChoice: "required" }],
      [{ type: "tool", name: "get_weather" }, { toolChoice: { name: "get_weather" } }],
      [{ type: "none" }, { toolChoice: "none" }],
    ] as const) {
      await client.messages.create({
        model,
        max_tokens: 9,
        messages: [question],
        tools: [weather],
        tool_choice: given,
      });
      expect(api.models.requests.at(-1)).toMatchObject(expected);
    }
  });

  it("give structured output", async () => {
    api.models.reply = () => ['{"name":"Ada"}'];
    const schema = { type: "object", properties: { name: { type: "string" } } };
    await client.messages.create({
      model,
      max_tokens: 100,
      messages: [question],
      output_config: { format: { type: "json_schema", schema } },
    });
    expect(api.models.requests[0]?.jsonSchema).toEqual(schema);
  });

  it("cite documents as Anthropic does", async () => {
    api.models.reply = () => ["The gate closes at 18:00 in winter [1]."];
    const asked = {
      model: `${model}+House rules`,
      max_tokens: 100,
      messages: [{ role: "user" as const, content: "When does the gate close in winter?" }],
    };
    const citation = {
      type: "page_location",
      cited_text: "The gate closes at 18:00 in winter",
      document_index: 0,
      document_title: "rules.pdf",
      start_page_number: 2,
      end_page_number: 3,
      corral: { number: 1, support: "verbatim" },
    };
    const whole = await client.messages.create(asked);
    expect(whole.content).toMatchObject([{ type: "text", citations: [citation] }]);
    const streamed = await client.messages.stream(asked).finalMessage();
    expect(streamed.content).toMatchObject([{ type: "text", citations: [citation] }]);
  });

  it("say in Anthropic's words what went wrong", async () => {
    const send = (given: object = {}) =>
      client.messages.create({
        model,
        max_tokens: 9,
        messages: [question],
        ...given,
      } as Anthropic.MessageCreateParamsNonStreaming);
    await expect(send({ model: "claude" })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(send({ max_tokens: 5_000 })).rejects.toMatchObject({
      status: 400,
      error: { type: "error", error: { type: "invalid_request_error" } },
    });
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "" } };
    await expect(send({ messages: [{ role: "user", content: [image] }] })).rejects.toThrow(
      "models here read text only",
    );
    await expect(send({ thinking: { type: "enabled", budget_tokens: 1_024 } })).rejects.toThrow("thinking");
    await expect(send({ messages: [question, { role: "assistant", content: "It" }] })).rejects.toThrow("last message");
    await expect(send({ tools: [{ type: "web_search_20250305", name: "web_search" }] })).rejects.toThrow("web_search");
    await expect(send({ corral: { collections: ["None"] } })).rejects.toMatchObject({
      status: 404,
      error: { error: { type: "not_found_error" } },
    });
    const wrong = new Anthropic({ baseURL: api.address, apiKey: "wrong", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    api.models.generateFailure = new CorralError("RATE_LIMITED", "Enough.", { limit: "day", retryAfterMs: 2_100 });
    const limited = (await send().catch((error: unknown) => error)) as InstanceType<typeof Anthropic.RateLimitError>;
    expect(limited).toBeInstanceOf(Anthropic.RateLimitError);
    expect(limited.headers?.get("retry-after")).toBe("3");
    expect(limited.requestID).toMatch(/^req_/);
  });

  it("end a stream that breaks with an error the client throws", async () => {
    api.models.reply = function* () {
      yield "Half an ";
      throw new CorralError("ENGINE_CRASHED", "The engine stopped.", { model });
    };
    const stream = client.messages.stream({ model, max_tokens: 9, messages: [question] });
    await expect(stream.finalMessage()).rejects.toThrow("The engine stopped.");
  });

  it("count the tokens of a prompt, tools included, and write nothing", async () => {
    const prompt = { model, messages: [question] };
    const plain = await client.messages.countTokens(prompt);
    const withTools = await client.messages.countTokens({ ...prompt, tools: [weather] });
    expect(plain.input_tokens).toBe(8);
    expect(withTools.input_tokens).toBeGreaterThan(plain.input_tokens);
    expect(api.models.requests).toEqual([]);
  });
});

describe("models", () => {
  it("are listed in Anthropic's form", async () => {
    const names = [];
    for await (const { id, type, display_name } of client.models.list()) names.push([id, type, display_name]);
    expect(names).toContainEqual(["scripted+House rules", "model", "Model scripted with House rules"]);
    expect(await client.models.retrieve("corral-reader")).toMatchObject({ id: "corral-reader", type: "model" });
  });
});
