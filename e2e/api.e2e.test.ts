import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchModel } from "../bench/make-model.ts";
import { corral, descendantsOf, exitOf, serve, type Serving } from "./run-corral.ts";

/**
 * The API of `corral serve` with a model of random weights and a real Llama shape, through the real clients. What it writes
 * means nothing, so what is checked is the form: that calls and JSON hold to their schema, that counts add up, that replies
 * end as they should.
 */
let root: string;
let serving: Serving;
let access: { openaiBaseUrl: string; anthropicBaseUrl: string; key: string; models: string[] };
let openai: OpenAI;
let anthropic: Anthropic;
let model: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "corral-api-"));
  serving = await serve(join(root, "data"));
  const added = await corral(["models", "add", benchModel("100m"), "--data", join(root, "data"), "--json"]);
  model = (added.json() as { id: string }).id;
  access = (await corral(["api", "--data", join(root, "data"), "--json"])).json() as typeof access;
  openai = new OpenAI({ baseURL: access.openaiBaseUrl, apiKey: access.key, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: access.anthropicBaseUrl, apiKey: access.key, maxRetries: 0 });
});
afterAll(async () => {
  serving?.child.kill("SIGTERM");
  if (serving) await exitOf(serving.child);
  rmSync(root, { recursive: true, force: true });
});

const messages = [{ role: "user" as const, content: "Tell me a story about a lighthouse and its keeper." }];
const weather = {
  name: "get_weather",
  description: "The weather of a place",
  parameters: {
    type: "object",
    properties: { city: { type: "string", enum: ["Ulm", "Bonn"] }, days: { type: "integer", minimum: 1, maximum: 7 } },
    required: ["city", "days"],
    additionalProperties: false,
  },
};

it("corral api tells what a program needs", async () => {
  expect(access.models).toContain(model);
  expect(access.anthropicBaseUrl).toBe(serving.address);
  expect(access.openaiBaseUrl).toBe(`${serving.address}/v1`);
  const text = (await corral(["api", "--data", join(root, "data")])).stdout;
  expect(text).toContain(`OPENAI_BASE_URL=${access.openaiBaseUrl}`);
  const stopped = await corral(["api", "--data", join(root, "nothing")]);
  expect([stopped.code, stopped.stderr]).toEqual([1, expect.stringContaining("corral serve")]);
});

describe("the OpenAI client", () => {
  it("gets replies of the asked length, the same for the same seed, whole and streamed", async () => {
    const asked = { model, messages, max_tokens: 24, seed: 7, temperature: 1 };
    const whole = await openai.chat.completions.create(asked);
    expect(whole.choices[0]?.finish_reason).toBe("length");
    expect(whole.usage).toMatchObject({ completion_tokens: 24 });
    const stream = openai.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    const { usage } = streamed as unknown as OpenAI.ChatCompletion;
    expect(usage).toMatchObject({ completion_tokens: 24, prompt_tokens: whole.usage?.prompt_tokens });
    // The same prompt of the same client was in the KV cache, but for its last token at least.
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(usage!.prompt_tokens / 2);
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeLessThan(usage!.prompt_tokens);
  });

  it("gets several different choices", async () => {
    const reply = await openai.chat.completions.create({
      model,
      messages,
      max_tokens: 8,
      n: 3,
      seed: 1,
      temperature: 1,
    });
    const texts = reply.choices.map(({ message }) => message.content);
    expect(new Set(texts).size).toBe(3);
    expect(reply.usage?.completion_tokens).toBe(24);
  });

  it("gets log probabilities that are some, and whose tokens are the text", async () => {
    const reply = await openai.chat.completions.create({
      model,
      messages,
      max_tokens: 10,
      logprobs: true,
      top_logprobs: 3,
      temperature: 0,
    });
    const content = reply.choices[0]?.logprobs?.content ?? [];
    expect(content).toHaveLength(10);
    const bytes = content.flatMap((token) => token.bytes ?? []);
    expect(Buffer.from(bytes).toString()).toBe(reply.choices[0]?.message.content);
    for (const { logprob, top_logprobs } of content) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top_logprobs).toHaveLength(3);
      expect(top_logprobs.map((top) => top.logprob)).toEqual(
        top_logprobs.map((top) => top.logprob).toSorted((a, b) => b - a),
      );
      // Greedy: the likeliest was written.
      expect(top_logprobs[0]?.logprob).toBeCloseTo(logprob, 4);
    }
  });

  it("ends before a stop text", async () => {
    const asked = { model, messages, max_tokens: 60, temperature: 0 };
    const whole = (await openai.chat.completions.create(asked)).choices[0]?.message.content ?? "";
    const stop = whole.slice(Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 6);
    const cut = await openai.chat.completions.create({ ...asked, stop: [stop] });
    expect(cut.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: whole.slice(0, whole.indexOf(stop)) },
    });
  });

  it("bans and forces tokens by bias", async () => {
    const asked = { model, messages, max_tokens: 5, temperature: 0, logprobs: true, top_logprobs: 1 };
    const first = await openai.chat.completions.create(asked);
    const token = first.choices[0]?.logprobs?.content?.[0]?.token;
    const forced = await openai.chat.completions.create({ ...asked, logit_bias: { 1000: 100 } });
    const tokens = forced.choices[0]?.logprobs?.content?.map((each) => each.token) ?? [];
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(token);
  });

  it("gets calls that hold to their schema, whole and streamed, and goes on with their results", async () => {
    const tools = [{ type: "function" as const, function: weather }];
    const asked = { model, messages, tools, tool_choice: "required" as const, parallel_tool_calls: false };
    const whole = await openai.chat.completions.create(asked);
    const stream = await openai.chat.completions.stream(asked).finalChatCompletion();
    for (const { choices } of [whole, stream]) {
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      for (const call of choices[0]?.message.tool_calls ?? []) {
        if (call.type !== "function") throw new Error(`not a function: ${call.type}`);
        expect(call.function.name).toBe("get_weather");
        const given = JSON.parse(call.function.arguments) as { city: string; days: number };
        expect(Object.keys(given).toSorted()).toEqual(["city", "days"]);
        expect(["Ulm", "Bonn"]).toContain(given.city);
        expect([1, 2, 3, 4, 5, 6, 7]).toContain(given.days);
      }
    }
    const calls = whole.choices[0]!.message.tool_calls!;
    const results = calls.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: "sunny" }));
    const after = await openai.chat.completions.create({
      model,
      messages: [...messages, whole.choices[0]!.message, ...results],
      tools,
      tool_choice: "none",
      max_tokens: 10,
    });
    expect(after.choices[0]?.message.tool_calls).toBeUndefined();
    expect(after.usage?.completion_tokens).toBe(10);
    const named = await openai.chat.completions.create({
      ...asked,
      tools: [...tools, { type: "function", function: { ...weather, name: "other" } }],
      tool_choice: { type: "function", function: { name: "other" } },
    });
    expect(named.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "other" } }]);
  });

  it("gets JSON that holds to its schema", async () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string", maxLength: 12 },
        colour: { enum: ["red", "green"] },
        sizes: { type: "array", items: { type: "integer" }, minItems: 2, maxItems: 3 },
      },
      required: ["name", "colour", "sizes"],
      additionalProperties: false,
    };
    const reply = await openai.chat.completions.create({
      model,
      messages,
      max_tokens: 600,
      response_format: { type: "json_schema", json_schema: { name: "thing", strict: true, schema } },
    });
    expect(reply.choices[0]?.finish_reason).toBe("stop");
    const value = JSON.parse(reply.choices[0]?.message.content ?? "") as Record<string, unknown>;
    expect(value).toEqual({
      name: expect.any(String) as string,
      colour: expect.stringMatching(/^(red|green)$/u) as string,
      sizes: expect.any(Array) as number[],
    });
    expect([2, 3]).toContain((value["sizes"] as number[]).length);
    await expect(
      openai.chat.completions.create({
        model,
        messages,
        response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "object", not: {} } } },
      }),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining("not") as string });
  });

  it("continues raw text, and streams a response", async () => {
    const completion = await openai.completions.create({ model, prompt: "Once upon a time", max_tokens: 5 });
    expect(completion.usage?.completion_tokens).toBe(5);
    const stream = openai.responses.stream({ model, input: "Hello", max_output_tokens: 6 });
    const response = await stream.finalResponse();
    expect(response).toMatchObject({ status: "incomplete", usage: { output_tokens: 6 } });
    const next = await openai.responses.create({
      model,
      input: "And then?",
      previous_response_id: response.id,
      max_output_tokens: 4,
    });
    expect(next.usage?.input_tokens).toBeGreaterThan(response.usage?.input_tokens ?? 0);
  });

  it("is told that a prompt is too long, by the standard code, with nothing cut", async () => {
    const long = [{ role: "user" as const, content: "lighthouse ".repeat(40_000) }];
    await expect(openai.chat.completions.create({ model, messages: long })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
  });
});

describe("the Anthropic client", () => {
  it("counts a prompt as the reply's usage does, and gets calls", async () => {
    const tools = [
      { ...weather, input_schema: weather.parameters as Anthropic.Tool.InputSchema, parameters: undefined },
    ];
    const asked = { model, messages, tools: tools.map(({ parameters: _, ...tool }) => tool) };
    const counted = await anthropic.messages.countTokens(asked);
    const { usage } = await anthropic.messages.create({ ...asked, max_tokens: 1 });
    expect(usage.input_tokens + (usage.cache_read_input_tokens ?? 0)).toBe(counted.input_tokens);
    const stream = anthropic.messages.stream({
      ...asked,
      max_tokens: 300,
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    });
    const reply = await stream.finalMessage();
    expect(reply.stop_reason).toBe("tool_use");
    const uses = reply.content.filter((block) => block.type === "tool_use");
    expect(uses[0]).toMatchObject({ name: "get_weather", input: { city: expect.any(String) as string } });
    const next = await anthropic.messages.create({
      ...asked,
      max_tokens: 5,
      tool_choice: { type: "none" },
      messages: [
        ...messages,
        { role: "assistant", content: reply.content },
        {
          role: "user",
          content: uses.map(({ id }) => ({ type: "tool_result" as const, tool_use_id: id, content: "sunny" })),
        },
      ],
    });
    expect(next).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 5 } });
  });
});

const metric = async (name: string) => {
  const answer = await fetch(`${serving.address}/metrics`, { headers: { "x-api-key": access.key } });
  const line = (await answer.text()).split("\n").find((each) => each.startsWith(`${name}{model="${model}"}`));
  return Number(line?.split(" ").at(-1));
};

it("a connection that breaks stops its reply and frees the slot", async () => {
  for (const leave of ["end", "resetAndDestroy"] as const) {
    const socket = connect(Number(new URL(serving.address).port), "127.0.0.1");
    socket.on("error", () => undefined);
    const body = JSON.stringify({ model, messages, max_tokens: 4_000, stream: true });
    socket.write(
      [
        "POST /v1/chat/completions HTTP/1.1",
        `Host: ${new URL(serving.address).host}`,
        `Authorization: Bearer ${access.key}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    );
    await new Promise<void>((resolve) => {
      let text = "";
      socket.on("data", (data) => {
        if ((text += data.toString()).split("data:").length > 4) resolve();
      });
    });
    expect(await metric("corral_requests_running")).toBe(1);
    socket[leave]();
    await expect.poll(() => metric("corral_requests_running"), { timeout: 2_000 }).toBe(0);
  }
});

describe("health", () => {
  const status = async () => (await fetch(`${serving.address}/health`)).status;
  const ask = () => openai.chat.completions.create({ model, messages, max_tokens: 4 });
  const workers = () =>
    descendantsOf(serving.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("inference-worker"),
    );

  /** The engine comes back after a pause; whoever asks until then is told when to ask again. */
  async function untilAnswered(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await ask();
        return;
      } catch (error) {
        if (attempt === 5 || !(error instanceof OpenAI.APIError)) throw error;
        await delay(1_000 * Number(error.headers?.get("retry-after") ?? 1));
      }
    }
  }

  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "says when the engine is gone by %s, and when it is back",
    async (signal) => {
      await untilAnswered();
      expect(await status()).toBe(200);
      const stream = await openai.chat.completions.create({ model, messages, max_tokens: 4_000, stream: true });
      const read = async () => {
        let isHit = false;
        for await (const chunk of stream) {
          if (isHit || !chunk.choices[0]?.delta.content) continue;
          isHit = true;
          for (const pid of workers()) process.kill(pid, signal);
        }
      };
      await expect(read()).rejects.toMatchObject({ code: "model_unavailable" });
      // Seen at once or, where the process only hangs, by the end of its silence, which also ended the stream.
      await expect.poll(status, { timeout: 2_000 }).toBe(503);
      await untilAnswered();
      expect(await status()).toBe(200);
    },
  );
});
