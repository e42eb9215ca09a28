import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedModel } from "./engine.ts";
import { readGgufHeader } from "./gguf-header.ts";
import { answer, ask, loadReader, longPassages, readerFile } from "./testing/reader-engine.ts";

const needle = "The keeper of the lighthouse keeps the spare key under the red bucket.";
const question = "Where does the keeper of the lighthouse keep the spare key?";

describe("a needle in the reader model's whole trained context", () => {
  let model: LoadedModel;
  let contextSize: number;
  beforeAll(async () => {
    contextSize = (await readGgufHeader(readerFile.path)).shape.trainContextSize;
    model = await loadReader([{ contextSize, count: 1 }]);
  });
  afterAll(() => model[Symbol.asyncDispose]());

  it.each([0, 0.25, 0.5, 0.75, 1])("is found at depth %d", async (depth) => {
    const passages = longPassages(contextSize, `depth ${depth}`);
    const room = 80;
    const requestOf = (kept: string[]) => {
      const at = Math.round(depth * kept.length);
      const all = [...kept.slice(0, at), needle, ...kept.slice(at)];
      return ask(question, all, { maxTokens: 40, alternatives: all.map((text, index) => `${text} [${index + 1}]`) });
    };
    let request = requestOf(passages);
    while ((await model.countPromptTokens(request.messages)) > contextSize - room) {
      passages.splice(-5);
      request = requestOf(passages);
    }
    const { text, statistics } = await answer(model, request);
    expect(statistics.promptTokens).toBeGreaterThan(contextSize - 400);
    expect(text).toContain("under the red bucket");
  });
});
