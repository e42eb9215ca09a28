import { join } from "node:path";
import { openLogger } from "../../logger.ts";
import type { EnginePart, GenerateRequest, LoadedModel, LoadSettings } from "../engine.ts";
import { createLlamaEngine } from "../llama-engine.ts";

/** The reader model through the real engine, for model tests. */

export const readerFile = {
  id: "corral-reader",
  path: join(import.meta.dirname, "../../../../../resources/reader-model/corral-reader-q8_0.gguf"),
};

export const never = new AbortController().signal;
const base = { gpuLayers: 0, threads: 1, kvCacheType: "f16" } as const;

export function readerEngine(stateDirectory?: string) {
  return createLlamaEngine({
    logger: openLogger({ directory: null, stderr: null }),
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
}

export function loadReader(slots: LoadSettings["slots"], more: Partial<LoadSettings> = {}): Promise<LoadedModel> {
  return readerEngine().load(readerFile, { ...base, slots, ...more }, { signal: never });
}

const system = (passages: readonly string[]) =>
  `You are Corral, an assistant that answers questions about the user's documents. Quote the sentence that answers the question word for word and cite its passage number like [2]. If the passages do not contain the answer, say: The documents don't say.\n\nPassages:\n\n${passages.map((passage, index) => `[${index + 1}] ${passage}`).join("\n\n")}`;

/** A greedy question about passages. */
export function ask(
  question: string,
  passages: readonly string[],
  more: Partial<GenerateRequest> = {},
): GenerateRequest {
  return {
    messages: [
      { role: "system", text: system(passages) },
      { role: "user", text: question },
    ],
    maxTokens: 60,
    temperature: 0,
    topP: 1,
    topK: 0,
    minP: 0,
    repeatPenalty: 1,
    seed: null,
    ...more,
  };
}

/** About so many tokens of passages, different for each salt. */
export function longPassages(tokens: number, salt: string): string[] {
  const sentence = (index: number) =>
    `Note ${index} of ${salt} says that the boat number ${index * 7} lies in the harbour.`;
  return Array.from({ length: Math.ceil(tokens / 30) }, (_, index) => sentence(index));
}

export async function collect(stream: AsyncIterable<EnginePart>) {
  const parts: EnginePart[] = [];
  for await (const part of stream) parts.push(part);
  const text = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
  const finish = parts.at(-1);
  if (finish?.type !== "finish") throw new Error("a generation must end with finish");
  return { parts, text, reason: finish.reason, statistics: finish.statistics };
}

export const answer = (model: LoadedModel, request: GenerateRequest) => collect(model.generate(request, never));
