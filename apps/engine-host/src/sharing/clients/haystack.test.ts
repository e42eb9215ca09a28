import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventsOf, serveApi, type ServedApi } from "../testing/serve-api.ts";

/**
 * Haystack is Python, so its requests are written here as its source makes them (deepset-ai/haystack at c7cb46c,
 * haystack/components): OpenAIChatGenerator._prepare_api_call with ChatMessage.to_openai_dict_format,
 * OpenAIResponsesChatGenerator, OpenAITextEmbedder and OpenAIDocumentEmbedder. What is checked of the answers is what its
 * converters read.
 */
let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  api.models.reply = () => ["The answer is four."];
  api.models.requests.length = 0;
});

/** Sent by the Python client with every request. */
const pythonHeaders = {
  "user-agent": "OpenAI/Python 2.8.0",
  "x-stainless-lang": "python",
  "x-stainless-async": "false",
  "x-stainless-retry-count": "0",
  accept: "application/json",
};
const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "useful to determine the weather in a given location",
    parameters: {
      type: "object",
      properties: { city: { type: "string", description: "The city", title: "City" } },
      required: ["city"],
    },
  },
};

async function send(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await api.post(path, body, pythonHeaders);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

describe("OpenAIChatGenerator", () => {
  it("gets a reply with what its ChatMessage keeps", async () => {
    const reply = await send("/v1/chat/completions", {
      model: "scripted",
      messages: [
        { role: "system", content: "Answer shortly." },
        { role: "user", content: "What is two and two?" },
      ],
      n: 1,
      max_tokens: 10,
      temperature: 0.5,
      stream: false,
    });
    expect(reply).toMatchObject({
      id: expect.any(String) as string,
      object: "chat.completion",
      created: expect.any(Number) as number,
      model: "scripted",
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          logprobs: null,
          message: { role: "assistant", content: "The answer is four." },
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number) as number,
        completion_tokens: 4,
        total_tokens: expect.any(Number) as number,
        completion_tokens_details: expect.any(Object) as object,
        prompt_tokens_details: expect.any(Object) as object,
      },
    });
  });

  it("sends strict tools, gets calls, and sends their results back without content in the turn that called", async () => {
    api.models.reply = ({ messages }) =>
      messages.some(({ role }) => role === "tool")
        ? ["It is 22 degrees."]
        : [{ type: "tool-call", call: { id: "call_1", name: "weather", arguments: '{"city":"Köln"}' } }];
    const parameters = { ...tool.function.parameters, additionalProperties: false };
    const strict = { ...tool, function: { ...tool.function, strict: true, parameters } };
    const question = { role: "user", content: "What's the weather in Köln?" };
    const first = (await send("/v1/chat/completions", {
      model: "scripted",
      messages: [question],
      n: 1,
      tools: [strict],
      tool_choice: "auto",
      stream: false,
    })) as { choices: { finish_reason: string; message: { content: unknown; tool_calls: unknown[] } }[] };
    expect(first.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Köln"}' } }],
      },
    });
    const second = await send("/v1/chat/completions", {
      model: "scripted",
      messages: [
        question,
        {
          role: "assistant",
          tool_calls: [
            { type: "function", function: { name: "weather", arguments: '{"city": "Köln"}' }, id: "call_1" },
          ],
        },
        { role: "tool", content: [{ type: "text", text: "22 degrees" }], tool_call_id: "call_1" },
      ],
      n: 1,
      tools: [strict],
      stream: false,
    });
    expect(second).toMatchObject({ choices: [{ message: { content: "It is 22 degrees." } }] });
    expect(api.models.requests[1]?.messages).toMatchObject([
      { role: "user" },
      { role: "assistant", text: "", toolCalls: [{ id: "call_1", name: "weather" }] },
      { role: "tool", text: "22 degrees", toolCallId: "call_1" },
    ]);
  });

  it("streams: at most one choice a chunk, calls by index, usage with no choice", async () => {
    api.models.reply = () => [
      "Let me see. ",
      { type: "tool-call", call: { id: "call_1", name: "weather", arguments: '{"city":"Ulm"}' } },
    ];
    const answer = await api.post(
      "/v1/chat/completions",
      {
        model: "scripted",
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "Weather" },
              { type: "text", text: "in Ulm?" },
            ],
          },
        ],
        n: 1,
        tools: [tool],
        stream: true,
        stream_options: { include_usage: true },
      },
      pythonHeaders,
    );
    interface Chunk {
      model: string;
      usage: object | null;
      choices: {
        index: number;
        finish_reason: string | null;
        delta: {
          role?: string;
          content?: string | null;
          tool_calls?: { index: number; id?: string; function?: { name?: string; arguments?: string } }[];
        };
      }[];
    }
    const events = (await eventsOf(answer)).map(({ data }) => data);
    expect(events.pop()).toBe("[DONE]");
    const chunks = events as Chunk[];
    expect(chunks.every(({ choices }) => choices.length <= 1)).toBe(true);
    // Its first chunk tells the role and no text.
    expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: "assistant", content: "" });
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, id: "call_1", function: { name: "weather" } });
    expect(calls.map((call) => call.function?.arguments ?? "").join("")).toBe('{"city":"Ulm"}');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("tool_calls");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) as number } });
  });

  it("gets structured output by the schema it makes of a Pydantic model", async () => {
    api.models.reply = () => ['{"cities":[{"name":"Ulm","country":null}]}'];
    const reply = await send("/v1/chat/completions", {
      model: "scripted",
      messages: [{ role: "user", content: "Cities?" }],
      n: 1,
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "Cities",
          strict: true,
          schema: {
            $defs: {
              City: {
                properties: {
                  name: { title: "Name", type: "string" },
                  country: { anyOf: [{ type: "string" }, { type: "null" }], title: "Country" },
                },
                required: ["name", "country"],
                title: "City",
                type: "object",
                additionalProperties: false,
              },
            },
            properties: { cities: { items: { $ref: "#/$defs/City" }, title: "Cities", type: "array" } },
            required: ["cities"],
            title: "Cities",
            type: "object",
            additionalProperties: false,
          },
        },
      },
    });
    expect(reply).toMatchObject({ choices: [{ message: { content: '{"cities":[{"name":"Ulm","country":null}]}' } }] });
    expect(api.models.requests[0]?.jsonSchema).toMatchObject({ title: "Cities" });
  });

  it("is told by name that pictures and files are not read", async () => {
    const parts = [
      { type: "image_url", image_url: { url: "data:image/jpeg;base64,AAAA" } },
      { type: "file", file: { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" } },
    ];
    for (const part of parts) {
      const messages = [{ role: "user", content: [{ type: "text", text: "What is this?" }, part] }];
      const answer = await api.post("/v1/chat/completions", { model: "scripted", messages, n: 1, stream: false });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: { type: "invalid_request_error", param: "messages[0].content[1]", code: null },
      });
    }
  });
});

describe("OpenAIResponsesChatGenerator", () => {
  it("gets calls, and sends the turn that called with its text after them", async () => {
    api.models.reply = ({ messages }) =>
      messages.some(({ role }) => role === "tool")
        ? ["It is sunny."]
        : ["I look.", { type: "tool-call", call: { id: "call_1", name: "weather", arguments: '{"city":"Ulm"}' } }];
    const parameters = { ...tool.function.parameters, additionalProperties: false };
    const tools = [{ type: "function", ...tool.function, strict: false, parameters }];
    const question = { role: "user", content: [{ type: "input_text", text: "Weather in Ulm?" }] };
    const asked = { model: "scripted", tools, stream: false, include: ["reasoning.encrypted_content"] };
    const first = await send("/v1/responses", { ...asked, input: [question] });
    const output = first["output"] as { id: string; type: string; call_id: string }[];
    expect(output.map(({ type }) => type)).toEqual(["message", "function_call"]);
    const call = output[1]!;
    const second = await send("/v1/responses", {
      ...asked,
      input: [
        question,
        { type: "function_call", name: "weather", arguments: '{"city": "Ulm"}', id: call.id, call_id: call.call_id },
        { role: "assistant", content: "I look." },
        { type: "function_call_output", call_id: call.call_id, output: [{ type: "input_text", text: "sunny" }] },
      ],
    });
    expect(second).toMatchObject({ status: "completed", output: [{ content: [{ text: "It is sunny." }] }] });
    expect(api.models.requests[1]?.messages).toMatchObject([
      { role: "user", text: "Weather in Ulm?" },
      { role: "assistant", text: "I look.", toolCalls: [{ id: "call_1" }] },
      { role: "tool", text: "sunny", toolCallId: "call_1" },
    ]);
  });
});

describe("a tool whose schema says what no grammar enforces", () => {
  const schema = { type: "object", properties: { days: { type: "array", items: {}, uniqueItems: true } } };
  const asked = { model: "scripted", max_tokens: 20 };
  const message = { role: "user", content: "Plan it." };
  const requests: [string, (strict: boolean | undefined) => Record<string, unknown>][] = [
    [
      "/v1/chat/completions",
      (strict) => ({
        ...asked,
        messages: [message],
        tools: [{ type: "function", function: { name: "plan", parameters: schema, strict } }],
      }),
    ],
    [
      "/v1/responses",
      (strict) => ({
        model: "scripted",
        input: [message],
        tools: [{ type: "function", name: "plan", parameters: schema, strict }],
      }),
    ],
    [
      "/v1/messages",
      (strict) => ({ ...asked, messages: [message], tools: [{ name: "plan", input_schema: schema, strict }] }),
    ],
  ];

  it.each(requests)("%s: is taken unless it is strict", async (path, body) => {
    api.models.reply = () => ["Fine."];
    await send(path, body(undefined));
    expect(api.models.requests[0]?.tools).toMatchObject([{ name: "plan", strict: false }]);
    const refused = await api.post(path, body(true));
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("uniqueItems");
  });
});

describe("the embedders", () => {
  it("get one vector for a text, one each for documents, and the usage their meta keeps", async () => {
    const one = await send("/v1/embeddings", {
      model: "scripted-embed",
      input: "I love pizza!",
      encoding_format: "float",
    });
    const many = await send("/v1/embeddings", {
      model: "scripted-embed",
      input: ["I love pizza!", "Berlin is large."],
      encoding_format: "float",
    });
    const first = one["data"] as { embedding: number[] }[];
    const all = many["data"] as { embedding: number[]; index: number }[];
    expect(first[0]?.embedding.every((value) => typeof value === "number")).toBe(true);
    expect(all.map(({ index }) => index)).toEqual([0, 1]);
    expect(all[0]?.embedding).toEqual(first[0]?.embedding);
    expect(many).toMatchObject({
      object: "list",
      model: "scripted-embed",
      usage: { prompt_tokens: 6, total_tokens: 6 },
    });
    // The asynchronous one leaves the encoding to its client, which asks for base64.
    const packed = await send("/v1/embeddings", { model: "scripted-embed", input: ["a"], encoding_format: "base64" });
    expect((packed["data"] as { embedding: string }[])[0]?.embedding).toMatch(/^[A-Za-z0-9+/]+=*$/u);
  });
});
