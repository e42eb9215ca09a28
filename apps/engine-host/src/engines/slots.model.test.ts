import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnginePart, GenerateRequest, LoadedModel } from "./engine.ts";
import { answer, ask, collect, loadReader, longPassages, never } from "./testing/reader-engine.ts";

const slots = [
  { contextSize: 4096, count: 1 },
  { contextSize: 512, count: 2 },
];
const short = (more: Partial<GenerateRequest> = {}) => ask("Where is the key?", ["The key is under the mat."], more);
const long = (more: Partial<GenerateRequest> = {}) => ask("Where is boat 49?", longPassages(2500, "long"), more);
/** Writes on for so many tokens: no alternative is complete before. */
const writeOn = (maxTokens: number): Partial<GenerateRequest> => ({ alternatives: ["word ".repeat(4000)], maxTokens });

/** Starts a reply and waits until it is being written. */
async function begin(model: LoadedModel, request: GenerateRequest, wanted: EnginePart["type"] = "text-delta") {
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  const stream = async function* () {
    for await (const part of model.generate(request, controller.signal)) {
      if (part.type === wanted) begun.resolve();
      yield part;
    }
  };
  const reply = collect(stream());
  await begun.promise;
  return { reply, stop: () => controller.abort() };
}

describe("slots of two sizes", () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadReader(slots);
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
  });

  it("are told, with the memory all of them take", async () => {
    expect(model.facts).toMatchObject({ contextSize: 4096, slots });
    const [main] = model.facts.memory;
    // 6 layers, 4 heads of 32 keys and 32 values in f16.
    expect(main?.kvCacheBytes).toBe((4096 + 2 * 512) * 6 * 4 * 64 * 2);
    await using one = await loadReader(slots.slice(0, 1));
    await using other = await loadReader(slots.slice(1));
    const computeBytes = [one, other].map(({ facts }) => facts.memory[0]?.computeBytes ?? 0);
    expect(main?.computeBytes).toBe(computeBytes.reduce((sum, bytes) => sum + bytes));
  });

  it("serve a short request in a small one: the large one stays free for a long one", async () => {
    const shorts = await Promise.all([1, 2].map(() => begin(model, short(writeOn(200)))));
    expect((await answer(model, long({ maxTokens: 4 }))).reason).toBe("length");
    for (const { stop } of shorts) stop();
    expect((await Promise.all(shorts.map(({ reply }) => reply))).map(({ reason }) => reason)).toEqual([
      "cancelled",
      "cancelled",
    ]);
  });

  it("let short requests pass while a long one waits for the large one", async () => {
    const first = await begin(model, long(writeOn(1000)));
    let isServed = false;
    const second = answer(model, long({ maxTokens: 4 })).finally(() => (isServed = true));
    expect((await answer(model, short())).reason).toBe("stop");
    expect(isServed).toBe(false);
    first.stop();
    expect((await second).reason).toBe("length");
    await first.reply;
  });

  it("lend the large one to a short request when the small ones are taken", async () => {
    const shorts = await Promise.all([1, 2].map(() => begin(model, short(writeOn(300)))));
    expect((await answer(model, short())).reason).toBe("stop");
    for (const { stop } of shorts) stop();
    await Promise.all(shorts.map(({ reply }) => reply));
  });

  it("prefer the one that holds the owner's conversation, though a smaller one would do", async () => {
    const first = await answer(model, long({ cacheOwner: "anna", maxTokens: 4 }));
    const { messages } = long();
    const shorter = { ...long({ cacheOwner: "anna", maxTokens: 4 }), messages: messages.slice(0, 1) };
    const second = await answer(model, shorter);
    expect(second.statistics.cachedTokens).toBeGreaterThan(0.9 * first.statistics.promptTokens);
  });

  it("refuse what the largest cannot hold", async () => {
    await expect(answer(model, long({ maxTokens: 4000 }))).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      data: { contextTokens: 4096 },
    });
  });

  it("give parallel replies, of all sizes, that equal the solo ones", async () => {
    const requests = [short(), long({ maxTokens: 20 }), ask("Who?", ["Mr Alder keeps the spare key."])];
    const solo: string[] = [];
    for (const request of requests) solo.push((await answer(model, request)).text);
    const parallel = await Promise.all(
      [...requests, ...requests, ...requests].map((request) => answer(model, request)),
    );
    expect(parallel.map(({ text }) => text)).toEqual([...solo, ...solo, ...solo]);
  });

  it("stop a long prompt in the middle, keep what was read for its owner, and are free again", async () => {
    const { reply, stop } = await begin(model, long({ cacheOwner: "ben", maxTokens: 4 }), "prefill-progress");
    stop();
    const { reason, parts } = await reply;
    expect(reason).toBe("cancelled");
    const steps = parts.flatMap((part) => (part.type === "prefill-progress" ? [part] : []));
    expect(steps.at(-1)!.done).toBeLessThan(steps.at(-1)!.total);
    expect((await answer(model, long({ maxTokens: 4 }))).reason).toBe("length");
  });

  it("tell often how far a long prompt is", async () => {
    const { parts, statistics } = await answer(model, long({ maxTokens: 4 }));
    const steps = parts.flatMap((part) => (part.type === "prefill-progress" ? [part] : []));
    expect(steps.length).toBeGreaterThan(8);
    expect(steps.map(({ done }) => done)).toEqual(steps.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(steps.every(({ total }) => total === statistics.promptTokens)).toBe(true);
    expect(steps.at(-1)?.done).toBe(statistics.promptTokens);
  });

  it("let a short question be answered while a long prompt is read", async () => {
    let isRead = false;
    const { reply } = await begin(model, long({ maxTokens: 1 }), "prefill-progress");
    void reply.then(() => (isRead = true));
    expect((await answer(model, short({ maxTokens: 2 }))).reason).toBe("length");
    expect(isRead).toBe(false);
    await reply;
  });

  it("end a request that is stopped while it waits, and one stopped before", async () => {
    const first = await begin(model, long(writeOn(1000)));
    const controller = new AbortController();
    const waiting = collect(model.generate(long(), controller.signal));
    expect((await answer(model, short())).reason).toBe("stop");
    controller.abort();
    expect((await waiting).reason).toBe("cancelled");
    first.stop();
    await first.reply;
    expect((await collect(model.generate(short(), AbortSignal.abort()))).reason).toBe("cancelled");
    expect((await collect(model.generate(short(), never))).reason).toBe("stop");
  });
});
