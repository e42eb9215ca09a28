import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLogger } from "../logger.ts";
import type { EnginePart, EngineTool, GenerateRequest, LoadedModel, TokenLogprob } from "./engine.ts";
import { supportedSchemas } from "./json-schemas.test-list.ts";
import { createLlamaEngine } from "./llama-engine.ts";
import { writeScriptedLlama } from "./scripted-llama.test-writer.ts";

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "corral-requests-"));
const reader = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");

const load = (path: string): Promise<LoadedModel> => {
  const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
  const slots = [{ contextSize: 2048, count: 1 }];
  return engine.load({ id: "m", path }, { slots, gpuLayers: 0, threads: 1, kvCacheType: "f16" }, { signal: never });
};

async function ask(model: LoadedModel, more: Partial<GenerateRequest>) {
  const request: GenerateRequest = {
    ...{ messages: [{ role: "user", text: "What is the weather in Paris?" }], maxTokens: 200, temperature: 0 },
    ...{ topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 },
    ...more,
  };
  const parts: EnginePart[] = [];
  for await (const part of model.generate(request, never)) if (part.type !== "prefill-progress") parts.push(part);
  const text = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
  const calls = parts.flatMap((part) => (part.type === "tool-call" ? [part.call] : []));
  const logprobs = parts.flatMap((part) => (part.type === "text-delta" ? (part.logprobs ?? []) : []));
  const last = parts.at(-1);
  if (last?.type !== "finish") throw new Error("A reply ends with finish.");
  return { parts, text, calls, logprobs, ...last };
}

const tool = (name: string, properties: Record<string, unknown>, required = Object.keys(properties)): EngineTool => ({
  name,
  description: `It is called ${name}`,
  parameters: { type: "object", properties, required, additionalProperties: false },
});
const weather = tool("get_weather", { city: { type: "string", maxLength: 20 } });
const time = tool("get_time", { zone: { enum: ["UTC", "CET"] } });
const search = tool("brave_search", { query: { type: "string" } });
const code = tool("code_interpreter", { code: { type: "string" } });

describe("a model that may call tools", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    const path = join(folder, "scripted.gguf");
    const scripts = {
      // In a chat; the others continue a raw prompt.
      "\n": [
        "I look",
        " it up.",
        "\n\n{",
        '"na',
        'me":',
        ' "get_we',
        'ather", "par',
        "ameters",
        '": {"city"',
        ': "Par',
        'is"}}',
        "<|eot_id|>",
      ],
      A: ["A {", '"name"', ": 1}", "<|end_of_text|>"],
      B: [
        "[{",
        '"name": "get_time"',
        ', "parameters": {"zo',
        'ne": "UTC"}}, {"na',
        'me": "get_weather", "parameters": {"city": "',
        "Rome",
        '"}}]',
        "<|eom_id|>",
      ],
      C: ["<|python_tag|>", "brave", "_search.c", 'all(query="gold', '")'],
      D: ["import", " math\n", "print(", "math.pi)", "<|eot_id|>"],
      E: ['{"nam', 'e": "get_wea', 'ther", "parameters": {"town', '": 1}}'],
      F: ["```json\n", '{"name": "get_wea', 'ther"}\n', "```", "<|end_header_id|>"],
    };
    await writeScriptedLlama(path, { scripts });
    model = await load(path);
  });
  afterAll(() => model[Symbol.asyncDispose]());

  it("writes text up to a call, and none of the call", async () => {
    const { parts, text, calls, reason } = await ask(model, { tools: [weather, time] });
    expect(text).toBe("I look it up.\n");
    expect(calls).toEqual([
      { id: expect.stringMatching(/^call_/) as string, name: "get_weather", arguments: '{"city":"Paris"}' },
    ]);
    expect(reason).toBe("tool-calls");
    // The text comes before the call.
    expect(parts.findLastIndex(({ type }) => type === "text-delta")).toBeLessThan(
      parts.findIndex(({ type }) => type === "tool-call"),
    );
  });

  it("writes what looks like a call as text where it has no tools, or may not call", async () => {
    const all = 'I look it up.\n\n{"name": "get_weather", "parameters": {"city": "Paris"}}';
    expect(await ask(model, {})).toMatchObject({ text: all, calls: [], reason: "stop" });
    expect(await ask(model, { tools: [weather], toolChoice: "none" })).toMatchObject({
      text: all,
      calls: [],
      reason: "stop",
    });
  });

  it("writes JSON that is no call as text", async () => {
    expect(await ask(model, { tools: [weather], messages: [], prompt: "A" })).toMatchObject({
      text: 'A {"name": 1}',
      calls: [],
    });
    const example = await ask(model, { tools: [weather], messages: [], prompt: "F", maxTokens: 4 });
    expect(example).toMatchObject({ text: '```json\n{"name": "get_weather"}\n```', calls: [] });
  });

  it("makes several calls in one turn, where that is allowed", async () => {
    const prompt = { messages: [], prompt: "B", tools: [weather, time] };
    const several = await ask(model, prompt);
    expect(several.calls.map(({ name, arguments: text }) => [name, text])).toEqual([
      ["get_time", '{"zone":"UTC"}'],
      ["get_weather", '{"city":"Rome"}'],
    ]);
    expect(several).toMatchObject({ text: "", reason: "tool-calls" });
    // Else a list is no call.
    expect((await ask(model, { ...prompt, parallelToolCalls: false })).text).toContain('[{"name": "get_time"');
  });

  it("calls a built-in tool in its own form, and code as it is", async () => {
    const searched = await ask(model, { messages: [], prompt: "C", tools: [search, weather] });
    expect(searched).toMatchObject({
      text: "",
      reason: "tool-calls",
      calls: [{ name: "brave_search", arguments: '{"query":"gold"}' }],
    });
    // Forced, the tag comes first; the script goes on from the end of the prompt.
    const run = await ask(model, { messages: [], prompt: "D", tools: [code, search] });
    expect(run).toMatchObject({ text: "import math\nprint(math.pi)", calls: [] });
  });

  it("cannot name arguments that a tool does not have", async () => {
    const { text, calls, parts } = await ask(model, { messages: [], prompt: "E", tools: [weather], maxTokens: 400 });
    expect(text).toBe("");
    // It wanted "town": what it wrote instead is valid, or it is not done.
    for (const call of calls) expect(Object.keys(JSON.parse(call.arguments) as object)).toEqual(["city"]);
    expect(JSON.stringify(parts)).not.toContain("town");
  });

  it("counts what its tools take of the prompt", async () => {
    const messages = [{ role: "user" as const, text: "Hi" }];
    const without = await model.countPromptTokens(messages);
    expect(await model.countPromptTokens(messages, never, [])).toBe(without);
    expect(await model.countPromptTokens(messages, never, [weather])).toBeGreaterThan(without + 100);
    const { statistics } = await ask(model, { messages, tools: [weather], maxTokens: 1 });
    expect(statistics.promptTokens).toBe(await model.countPromptTokens(messages, never, [weather]));
  });

  it("takes the text that spells a control token for text, in a raw prompt too", async () => {
    const plain = await ask(model, { messages: [], prompt: "<|eot_id|>A", maxTokens: 1 });
    expect(plain.statistics.promptTokens).toBe("<|eot_id|>A".length + 1);
    expect(plain.text).toBe("A {");
  });
});

describe("the reader, held to something", () => {
  let model: LoadedModel;
  beforeAll(async () => void (model = await load(reader)));
  afterAll(() => model[Symbol.asyncDispose]());
  const passages = (...sentences: string[]): Partial<GenerateRequest> => ({
    messages: [
      {
        role: "system",
        text: `You are Corral, an assistant that answers questions about the user's documents. Quote the sentence that answers the question word for word and cite its passage number like [2]. If the passages do not contain the answer, say: The documents don't say.\n\nPassages:\n\n${sentences.map((text, index) => `[${index + 1}] ${text}`).join("\n\n")}`,
      },
      { role: "user", text: "When does the gate close in winter?" },
    ],
  });
  const gate = passages("The gate closes at 18:30 from October to March.");

  it("always calls when it must, with arguments that are valid, however hot", async () => {
    const ajv = new Ajv2020({ strict: false });
    const tools = [
      weather,
      time,
      tool("set", { on: { type: "boolean" }, level: { type: "integer", minimum: 0, maximum: 5 } }),
    ];
    let calls = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const reply = await ask(model, {
        tools,
        toolChoice: "required",
        parallelToolCalls: false,
        temperature: 1.5,
        seed,
        cacheOwner: "t",
      });
      expect(reply.text).toBe("");
      // White space without end is all that can fill the room.
      expect(reply.reason).toBe(reply.calls.length > 0 ? "tool-calls" : "length");
      for (const call of reply.calls) {
        calls++;
        const chosen = tools.find(({ name }) => name === call.name);
        expect(ajv.validate(chosen?.parameters ?? false, JSON.parse(call.arguments))).toBe(true);
      }
    }
    expect(calls).toBeGreaterThan(2);
    const named = await ask(model, { tools, toolChoice: { name: "set" }, temperature: 1.5, seed: 5 });
    for (const { name } of named.calls) expect(name).toBe("set");
  });

  it("writes only what a schema allows, however hot", async () => {
    const ajv = new Ajv2020({ strict: false, ownProperties: true, validateFormats: false });
    const names = [
      "flat object",
      "optional properties",
      "oneOf by a fixed property",
      "a tree",
      "tuple",
      "pattern: product code",
    ];
    names.push(
      "array of exactly three",
      "integer range",
      "probability",
      "money",
      "date and time",
      "string of a length",
      "enum of values",
      "any object",
    );
    let whole = 0;
    for (const name of names) {
      const schema = supportedSchemas[name] as Record<string, unknown>;
      const { text, reason } = await ask(model, { jsonSchema: schema, temperature: 1.5, seed: 3, maxTokens: 150 });
      if (reason === "length") continue;
      whole++;
      expect({ name, text, isValid: ajv.validate(schema, JSON.parse(text)) }).toMatchObject({ isValid: true });
    }
    expect(whole).toBeGreaterThan(8);
  });

  it("says that JSON is whole when it filled the room exactly", async () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const { statistics } = await ask(model, { jsonSchema: schema });
    const exact = await ask(model, { jsonSchema: schema, maxTokens: statistics.completionTokens });
    expect(exact).toMatchObject({ reason: "stop" });
    expect(JSON.parse(exact.text)).toHaveProperty("ok");
    expect(await ask(model, { jsonSchema: schema, maxTokens: 3 })).toMatchObject({ reason: "length" });
  });

  it("writes either a call or JSON of the schema where both are asked for", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const jsonSchema = {
        type: "object",
        properties: { mood: { enum: ["good", "bad"] } },
        required: ["mood"],
        additionalProperties: false,
      };
      const { text, calls, reason } = await ask(model, {
        tools: [time],
        jsonSchema,
        temperature: 1.2,
        seed,
        parallelToolCalls: false,
        cacheOwner: "t",
      });
      if (reason === "length") expect(calls).toEqual([]);
      else if (calls.length > 0) expect({ text, name: calls[0]?.name }).toEqual({ text: "", name: "get_time" });
      else expect(JSON.parse(text)).toHaveProperty("mood");
    }
  });

  it("refuses a schema, a tool or a bias that cannot be kept, by name", async () => {
    await expect(ask(model, { jsonSchema: { type: "array", uniqueItems: true } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      data: { field: "jsonSchema/uniqueItems" },
    });
    await expect(ask(model, { tools: [weather, weather] })).rejects.toMatchObject({ data: { field: "tools/1/name" } });
    await expect(ask(model, { tools: [weather], toolChoice: { name: "none" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(ask(model, { logitBias: { 99999: 1 } })).rejects.toMatchObject({ data: { field: "logitBias/99999" } });
  });

  it("ends before a stop text, says which, and gives nothing of it away", async () => {
    const whole = (await ask(model, gate)).text;
    expect(whole).toBe("The gate closes at 18:30 from October to March. [1]");
    for (const stop of ["18:30 fr", " from", "October to M", ". [1]", "T"]) {
      const { text, reason, stopText } = await ask(model, { ...gate, stop: ["nowhere", stop] });
      expect({ text, reason, stopText }).toEqual({
        text: whole.slice(0, whole.indexOf(stop)),
        reason: "stop",
        stopText: stop,
      });
    }
    const almost = await ask(model, { ...gate, stop: ["March. [1] and more"] });
    expect(almost).toMatchObject({ text: whole, reason: "stop" });
    expect(almost.stopText).toBeUndefined();
  });

  it("writes the same for the same seed, and other things for others", async () => {
    const hot = (seed: number) => ask(model, { ...gate, temperature: 2, seed, maxTokens: 20 });
    const [first, again, other, large] = [await hot(7), await hot(7), await hot(8), await hot(2 ** 32 + 7)];
    expect(again.text).toBe(first.text);
    expect(other.text).not.toBe(first.text);
    // Seeds count modulo 2^32.
    expect(large.text).toBe(first.text);
  });

  it("tells how likely each token was", async () => {
    const { text, logprobs } = await ask(model, { ...passages("Das Café schließt um 18:30 Uhr 😀."), logprobs: 3 });
    const bytes = (list: TokenLogprob[]) => Buffer.from(list.flatMap((entry) => entry.bytes)).toString("utf8");
    expect(bytes(logprobs)).toBe(text);
    for (const { token, logprob, top } of logprobs) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(3);
      // Greedy: the likeliest was taken.
      expect(top[0]).toMatchObject({ token, logprob });
      expect(top.map((entry) => entry.logprob)).toEqual(top.map((entry) => entry.logprob).toSorted((a, b) => b - a));
      expect(top.reduce((sum, entry) => sum + Math.exp(entry.logprob), 0)).toBeLessThan(1.001);
    }
    expect(logprobs.every(({ top }) => top.length === 3)).toBe(true);
    expect((await ask(model, gate)).logprobs).toEqual([]);
  });

  it("tells the same likelihoods at any temperature", async () => {
    const first = async (temperature: number) =>
      (await ask(model, { ...gate, temperature, logprobs: 5, maxTokens: 1 })).logprobs[0]?.top;
    const [cold, warm] = [await first(0), await first(0.7)];
    expect(warm?.map(({ token }) => token)).toEqual(cold?.map(({ token }) => token));
    for (const [index, { logprob }] of (cold ?? []).entries()) expect(warm?.[index]?.logprob).toBeCloseTo(logprob, 2);
  });

  it("takes penalties off the logits of what it wrote, once or each time, and adds biases", async () => {
    // The reader's tokens " la" and "The".
    const [la, the] = [324, 596];
    /** How likely the third token is to be " la" again rather than the likeliest of the others. */
    const advantage = async (more: Partial<GenerateRequest>) => {
      const forced = { messages: [], prompt: "la la la la la la", maxTokens: 3, logprobs: 20, logitBias: { [la]: 30 } };
      const { logprobs } = await ask(model, { ...forced, ...more });
      expect(logprobs.map(({ token }) => token)).toEqual([" la", " la", " la"]);
      const { logprob, top = [] } = logprobs[2] ?? { logprob: 0 };
      return logprob - (top.find(({ token }) => token !== " la")?.logprob ?? 0);
    };
    const plain = await advantage({});
    expect(plain - (await advantage({ frequencyPenalty: 1.5 }))).toBeCloseTo(2 * 1.5, 2);
    expect(plain - (await advantage({ presencePenalty: 1.5 }))).toBeCloseTo(1.5, 2);
    expect(plain - (await advantage({ frequencyPenalty: -1 }))).toBeCloseTo(-2, 2);
    expect(plain - (await advantage({ logitBias: { [la]: 25 } }))).toBeCloseTo(5, 2);
    const [first, second] = (await ask(model, { ...gate, logprobs: 2, maxTokens: 1 })).logprobs[0]?.top ?? [];
    expect(first?.token).toBe("The");
    expect((await ask(model, { ...gate, logitBias: { [the]: -100 }, maxTokens: 1 })).text).toBe(second?.token);
  });
});

afterAll(() => rm(folder, { recursive: true }));
