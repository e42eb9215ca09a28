import { describe, expect, it } from "vitest";
import type { EnginePart, GenerateRequest, LoadSettings } from "./engine.ts";
import { createFakeEngine } from "./fake-engine.ts";

const settings: LoadSettings = {
  slots: [{ contextSize: 100, count: 2 }],
  gpuLayers: 0,
  threads: 1,
  kvCacheType: "f16",
};
const never = new AbortController().signal;
const request = (text: string, maxTokens = 50): GenerateRequest => ({
  messages: [{ role: "user", text }],
  maxTokens,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  seed: null,
});

async function collect(stream: AsyncIterable<EnginePart>): Promise<string> {
  let text = "";
  for await (const part of stream) if (part.type === "text-delta") text += part.text;
  return text;
}

describe("the fake engine", () => {
  it("says the last message back, word by word", async () => {
    await using model = await createFakeEngine().load({ id: "a", path: "" }, settings, { signal: never });
    expect(await collect(model.generate(request("one two  three"), never))).toBe("one two  three");
    const parts: EnginePart[] = [];
    for await (const part of model.generate(request("one two three", 2), never)) parts.push(part);
    expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "length", statistics: { completionTokens: 2 } });
  });

  it("crashes in the middle of a reply when told to", async () => {
    const engine = createFakeEngine({ replyFault: () => ({ kind: "crash", afterWords: 1 }) });
    const model = await engine.load({ id: "a", path: "" }, settings, { signal: never });
    let text = "";
    const run = async () => {
      for await (const part of model.generate(request("one two"), never))
        if (part.type === "text-delta") text += part.text;
    };
    await expect(run()).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    expect(text).toBe("one ");
    expect(await model.ended).toEqual({ reason: "its process was ended by SIGABRT" });
    expect(engine.history).toEqual(["load a", "crash a"]);
  });

  it("can hang, and mix up two replies, so that tests against that can be shown to fail", async () => {
    const engine = createFakeEngine({
      wordMs: 1,
      replyFault: (reply) => (reply === 1 ? { kind: "another-sequence", afterWords: 0 } : null),
    });
    await using model = await engine.load({ id: "a", path: "" }, settings, { signal: never });
    const [mixed] = await Promise.all([
      collect(model.generate(request("my words here"), never)),
      collect(model.generate(request("your secret text and more"), never)),
    ]);
    expect(mixed).toContain("secret");

    const hanging = createFakeEngine({ replyFault: () => ({ kind: "hang", afterWords: 1 }) });
    await using other = await hanging.load({ id: "b", path: "" }, settings, { signal: never });
    expect(await collect(other.generate(request("one two"), AbortSignal.timeout(50)))).toBe("one ");
  });

  it("ends before a stop text, tells likelihoods, and makes calls after its words", async () => {
    const call = { id: "call_1", name: "look", arguments: "{}" };
    const engine = createFakeEngine({ calls: ({ tools = [] }) => (tools.length > 0 ? [call] : []) });
    await using model = await engine.load({ id: "a", path: "" }, settings, { signal: never });
    const all = async (more: Partial<GenerateRequest>) => {
      const parts: EnginePart[] = [];
      for await (const part of model.generate({ ...request("one two three"), ...more }, never)) parts.push(part);
      return parts;
    };
    const stopped = await all({ stop: ["thr", "tw"] });
    expect(stopped.at(-1)).toMatchObject({ type: "finish", reason: "stop", stopText: "tw" });
    expect(stopped.filter(({ type }) => type === "text-delta")).toMatchObject([{ text: "one " }]);
    const [, first] = await all({ logprobs: 2 });
    expect(first).toMatchObject({
      logprobs: [{ token: "one ", bytes: [111, 110, 101, 32], top: [{ token: "one " }, {}] }],
    });
    const tools = [{ name: "look", description: "It looks", parameters: {} }];
    expect((await all({ tools })).slice(-2)).toMatchObject([{ type: "tool-call", call }, { reason: "tool-calls" }]);
  });

  it("gives texts with words in common vectors that lie close together, and scores by the words of the query", async () => {
    await using model = await createFakeEngine().load(
      { id: "a", path: "" },
      { ...settings, purpose: "embed" },
      { signal: never },
    );
    const [gate, question, bananas] = await model.embed(
      ["the gate closes", "gate closes when", "yellow bananas"],
      never,
    );
    const dot = (a: Float32Array | undefined, b: Float32Array | undefined) =>
      (a ?? new Float32Array()).reduce((sum, value, index) => sum + value * (b?.[index] ?? 0), 0);
    expect(Math.hypot(...(gate ?? []))).toBeCloseTo(1, 5);
    expect(gate).toHaveLength(model.facts.dimensions ?? 0);
    expect(dot(gate, question)).toBeGreaterThan(dot(gate, bananas) + 0.3);
    expect(await model.rank("gate closes", ["the gate", "The gate closes.", "no"], never)).toEqual([0.5, 1, 0]);
    await expect(model.embed(["x ".repeat(500)], never)).rejects.toMatchObject({ code: "CONTEXT_OVERFLOW" });
  });
});
