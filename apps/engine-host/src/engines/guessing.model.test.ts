import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedModel } from "./engine.ts";
import { answer, ask, loadReader, longPassages, readerFile } from "./testing/reader-engine.ts";

const questions = ["Where does boat number 49 lie?", "What does note 12 say?", "Which boat lies in the harbour?"];

describe("guessing ahead", () => {
  let plain: LoadedModel;
  let drafted: LoadedModel;
  beforeAll(async () => {
    plain = await loadReader([{ contextSize: 1024, count: 2 }]);
    // The model as its own draft: every guess is right.
    drafted = await loadReader([{ contextSize: 1024, count: 2 }], { draft: { path: readerFile.path } });
  });
  afterAll(async () => {
    await plain[Symbol.asyncDispose]();
    await drafted[Symbol.asyncDispose]();
  });

  it("from the prompt changes no word of greedy replies", async () => {
    let accepted = 0;
    for (const question of questions) {
      const request = ask(question, longPassages(400, question), { maxTokens: 100 });
      const without = await answer(plain, request);
      // Twice: the second begins with what the first left in the slot.
      for (let round = 0; round < 2; round++) {
        const guessed = await answer(plain, { ...request, speculation: "prompt-lookup", cacheOwner: question });
        expect(guessed.text).toBe(without.text);
        expect(guessed.statistics.completionTokens).toBe(without.statistics.completionTokens);
        accepted += guessed.statistics.speculation?.accepted ?? 0;
      }
    }
    expect(accepted).toBeGreaterThan(20);
  });

  it("by a draft model changes no word, in parallel either", async () => {
    const requests = questions.map((question) => ask(question, longPassages(400, question), { maxTokens: 60 }));
    const without: string[] = [];
    for (const request of requests) without.push((await answer(plain, request)).text);
    const first = await answer(drafted, requests[0]!);
    expect(first.statistics.speculation).toMatchObject({ kind: "draft" });
    expect(first.statistics.speculation?.accepted).toBeGreaterThan(5);
    const all = await Promise.all(requests.map((request) => answer(drafted, request)));
    expect(all.map(({ text }) => text)).toEqual(without);
  });

  it("goes on in the same slot after a stop, and with another's turn in between", async () => {
    const request = ask(questions[0]!, longPassages(400, "stops"), { maxTokens: 100, cacheOwner: "stops" });
    const { text } = await answer(plain, { ...request, cacheOwner: "another" });
    for (let round = 0; round < 4; round++) {
      const controller = new AbortController();
      for await (const part of plain.generate({ ...request, speculation: "prompt-lookup" }, controller.signal)) {
        if (part.type === "text-delta") controller.abort();
      }
      expect((await answer(plain, request)).text).toBe(text);
    }
  });

  it("stays off where tokens depend on each other in other ways", async () => {
    const request = ask(questions[0]!, longPassages(400, "penalties"), { speculation: "prompt-lookup" });
    expect((await answer(plain, { ...request, repeatPenalty: 1.2 })).statistics.speculation).toBeUndefined();
    expect((await answer(plain, { ...request, logprobs: 0 })).statistics.speculation).toBeUndefined();
  });

  it("does without a draft model that is of no use", async () => {
    await using model = await loadReader([{ contextSize: 512, count: 1 }], { draft: { path: "/nowhere.gguf" } });
    expect((await answer(model, ask("Where?", ["Here."]))).statistics.speculation).toBeUndefined();
  });

  it("counts the draft model's memory", () => {
    const bytes = ({ facts }: LoadedModel, part: "weightsBytes" | "kvCacheBytes") =>
      facts.memory.reduce((sum, memory) => sum + memory[part], 0);
    expect(bytes(drafted, "kvCacheBytes")).toBe(2 * bytes(plain, "kvCacheBytes"));
    expect(bytes(drafted, "weightsBytes")).toBe(2 * bytes(plain, "weightsBytes"));
  });
});

describe("a reply that is one of several", () => {
  it("is written out once only one is left, the same as token by token", async () => {
    await using model = await loadReader([{ contextSize: 1024, count: 1 }]);
    const passages = longPassages(300, "alternatives");
    const alternatives = passages.map((passage, index) => `${passage} [${index + 1}] ünï 😀`);
    for (const question of questions) {
      const request = ask(question, passages, { alternatives, maxTokens: 120 });
      // Log probabilities need every token.
      const whole = await answer(model, { ...request, logprobs: 0 });
      const completed = await answer(model, request);
      expect(completed.text).toBe(whole.text);
      expect(completed.reason).toBe(whole.reason);
      expect(alternatives).toContain(completed.text);
      expect(completed.statistics.speculation).toMatchObject({ kind: "grammar", rejected: 0 });
      expect(completed.statistics.speculation?.accepted).toBeGreaterThan(5);
    }
  });

  it("is cut where it is too long, as token by token", async () => {
    await using model = await loadReader([{ contextSize: 1024, count: 1 }]);
    const request = ask("Go on?", ["Go on."], { alternatives: ["word ".repeat(100)], maxTokens: 20 });
    const { reason, statistics, text } = await answer(model, request);
    expect(reason).toBe("length");
    expect(statistics.completionTokens).toBe(20);
    expect("word ".repeat(100).startsWith(text)).toBe(true);
  });

  it("may be the beginning of another", async () => {
    await using model = await loadReader([{ contextSize: 1024, count: 1 }]);
    for (const alternatives of [
      ["Yes.", "Yes. And more."],
      ["Yes. And more.", "Yes."],
    ]) {
      const request = ask("Is it?", ["It is."], { alternatives });
      const whole = await answer(model, { ...request, logprobs: 0 });
      expect((await answer(model, request)).text).toBe(whole.text);
    }
  });
});
