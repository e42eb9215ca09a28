import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
  api.models.requests.length = 0;
});

const model = "scripted";
const weather = {
  name: "get_weather",
  description: "The weather of a place",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

describe("responses", () => {
  const input = "What is two and two?";

  it("answer whole, and are gone on from while they are stored", async () => {
    const first = await client.responses.create({ model, input, instructions: "Be brief." });
    expect(first).toMatchObject({
      object: "response",
      status: "completed",
      output_text: "The answer is four.",
      usage: { input_tokens: 13, output_tokens: 4, input_tokens_details: { cached_tokens: 2 } },
    });
    const second = await client.responses.create({ model, input: "And three?", previous_response_id: first.id });
    expect(api.models.requests[1]?.messages).toEqual([
      { role: "user", text: input },
      { role: "assistant", text: "The answer is four." },
      { role: "user", text: "And three?" },
    ]);
    expect((await client.responses.retrieve(second.id)).output_text).toBe("The answer is four.");
    await client.responses.delete(first.id);
    await expect(client.responses.create({ model, input, previous_response_id: first.id })).rejects.toMatchObject({
      status: 400,
      code: "previous_response_not_found",
    });
    const unstored = await client.responses.create({ model, input, store: false });
    await expect(client.responses.retrieve(unstored.id)).rejects.toMatchObject({ status: 404 });
  });

  it("stream the events the client's own accumulator takes", async () => {
    const stream = client.responses.stream({ model, input });
    const types: string[] = [];
    let expected = 0;
    for await (const event of stream) {
      types.push(event.type);
      expect(event.sequence_number).toBe(expected++);
    }
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      ...Array<string>(4).fill("response.output_text.delta"),
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect((await stream.finalResponse()).output_text).toBe("The answer is four.");
  });

  it("call functions and take their results", async () => {
    api.models.reply = ({ messages }) =>
      messages.some(({ role }) => role === "tool")
        ? ["It is sunny."]
        : [{ type: "tool-call", call: { id: "call_1", name: "get_weather", arguments: '{"city":"Ulm"}' } }];
    const tools = [{ type: "function" as const, ...weather, strict: true }];
    const stream = client.responses.stream({ model, input, tools });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types.slice(2)).toEqual([
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const first = await stream.finalResponse();
    const [call] = first.output;
    expect(call).toMatchObject({
      type: "function_call",
      call_id: "call_1",
      name: "get_weather",
      arguments: '{"city":"Ulm"}',
    });
    const second = await client.responses.create({
      model,
      tools,
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: "call_1", output: "sunny" }],
    });
    expect(second.output_text).toBe("It is sunny.");
    const again = await client.responses.create({
      model,
      tools,
      input: [
        { role: "user", content: input },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { type: "function_call_output", call_id: "call_1", output: [{ type: "input_text", text: "sunny" }] },
      ],
    });
    expect(again.output_text).toBe("It is sunny.");
    expect(api.models.requests.at(-1)?.messages).toEqual(api.models.requests.at(-2)?.messages);
  });

  it("give structured output, end incomplete at their limit and fail as such", async () => {
    api.models.reply = () => ['{"name":"Ada"}'];
    const parsed = await client.responses.parse({
      model,
      input,
      text: {
        format: {
          type: "json_schema",
          name: "person",
          schema: { type: "object", properties: { name: { type: "string" } } },
        },
      },
    });
    expect(parsed.output_parsed).toEqual({ name: "Ada" });
    api.models.reply = () => ["one two three four"];
    const cut = await client.responses.create({ model, input, max_output_tokens: 2 });
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    api.models.reply = function* () {
      yield "Half ";
      throw new CorralError("ENGINE_CRASHED", "The engine stopped.", { model });
    };
    const stream = await client.responses.create({ model, input, stream: true });
    const types: string[] = [];
    const read = async () => {
      for await (const event of stream) types.push(event.type);
    };
    await expect(read()).rejects.toThrow("The engine stopped.");
    expect(types.at(-1)).toBe("response.failed");
  });

  it("carry annotations of documents", async () => {
    api.models.reply = () => ["The gate closes at 18:00 in winter [1]."];
    const asked = { model: `${model}+House rules`, input: "When does the gate close in winter?" };
    const whole = await client.responses.create(asked);
    const message = whole.output[0] as OpenAI.Responses.ResponseOutputMessage;
    const annotation = { type: "file_citation", filename: "rules.pdf", index: 38, corral: { page: 2 } };
    expect(message.content[0]).toMatchObject({ annotations: [annotation] });
    const added = [];
    for await (const event of await client.responses.create({ ...asked, stream: true })) {
      if (event.type === "response.output_text.annotation.added") added.push(event.annotation);
    }
    expect(added).toMatchObject([annotation]);
  });
});
