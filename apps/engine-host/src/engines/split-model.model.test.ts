import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openLogger } from "../logger.ts";
import type { LoadSettings } from "./engine.ts";
import { readGgufHeader } from "./gguf-header.ts";
import { createLlamaEngine } from "./llama-engine.ts";
import { splitGguf } from "./split-gguf.test-writer.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const settings: LoadSettings = {
  slots: [{ contextSize: 512, count: 1 }],
  gpuLayers: 0,
  threads: 1,
  kvCacheType: "f16",
};
const never = new AbortController().signal;
const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-split-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function reply(path: string) {
  await using model = await engine.load({ id: "reader", path }, settings, { signal: never });
  const messages = [{ role: "user" as const, text: "When does the gate close?" }];
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 };
  let text = "";
  for await (const part of model.generate({ messages, maxTokens: 24, ...sampling }, never)) {
    if (part.type === "text-delta") text += part.text;
  }
  return { text, weightsBytes: model.facts.memory[0]?.weightsBytes ?? 0 };
}

it("a model in three files loads by its first, and does what it did in one", async () => {
  const paths = await splitGguf(readerPath, join(folder, "reader"), 3);
  const [split, whole] = [await readGgufHeader(paths[0] ?? ""), await readGgufHeader(readerPath)];
  expect({ ...split, fileBytes: 0 }).toEqual({ ...whole, fileBytes: 0 });
  const [ofParts, ofOne] = [await reply(paths[0] ?? ""), await reply(readerPath)];
  expect(ofParts.text).toBe(ofOne.text);
  expect(ofParts.text).not.toBe("");
  // Told in steps of 0.01 MiB, and per file.
  expect(Math.abs(ofParts.weightsBytes - whole.weightsBytes)).toBeLessThan(0.03 * 2 ** 20);
});
