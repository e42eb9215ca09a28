import { setTimeout as delay } from "node:timers/promises";
import { createLlamaEngine } from "../apps/engine-host/src/engines/llama-engine.ts";
import { openLogger } from "../apps/engine-host/src/logger.ts";
import { median, progress } from "./report.ts";
import { type Comparison, compared } from "./serving-latency.ts";
import { freshQuestion } from "./serving-speed.ts";

/** Time for the long prompt to be under way, ms. */
const headStartMs = 1500;
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 };

/**
 * The first token of a short request while a long prompt is read, beside alone. Asked of the engine itself: a host gives a
 * model on a CPU 8,192 tokens. The long prompt is not read to its end once everything is known.
 */
export async function measureShortBesideLong(
  path: string,
  { rounds, longTokens, threads }: { rounds: number; longTokens: number; threads: number },
): Promise<Comparison> {
  const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
  const slots = [
    { contextSize: longTokens + 1024, count: 1 },
    { contextSize: 1024, count: 1 },
  ];
  const settings = { slots, gpuLayers: 0, threads, kvCacheType: "f16", mapsWeights: false } as const;
  const stop = new AbortController();
  await using model = await engine.load({ id: "bench", path }, settings, { signal: stop.signal });
  const short = async (seed: number) => {
    const request = { messages: [{ role: "user" as const, text: freshQuestion(seed, 10) }], maxTokens: 8, ...sampling };
    const start = performance.now();
    let firstTokenMs = Number.NaN;
    for await (const part of model.generate(request, new AbortController().signal)) {
      if (part.type === "text-delta" && Number.isNaN(firstTokenMs)) firstTokenMs = performance.now() - start;
    }
    return firstTokenMs;
  };
  await short(9000);
  const alone: number[] = [];
  for (let at = 0; at < rounds; at++) alone.push(await short(9001 + at));
  const sample = freshQuestion(9100, 1000);
  const [tokens = 1] = await model.countTokens([sample]);
  const text = freshQuestion(9100, Math.floor((longTokens / tokens) * 1000));
  let read = 0;
  let isReading = true;
  const readLong = async () => {
    for await (const part of model.generate(
      { messages: [{ role: "user", text }], maxTokens: 1, ...sampling },
      stop.signal,
    ))
      if (part.type === "prefill-progress") read = part.done;
  };
  const long = readLong().finally(() => (isReading = false));
  long.catch(() => undefined);
  await delay(headStartMs);
  const beside: number[] = [];
  while (beside.length < rounds) {
    const ms = await short(9200 + beside.length);
    // What came after the long prompt was read tells nothing.
    if (!isReading) break;
    beside.push(ms);
  }
  stop.abort();
  await long;
  const what = `short request while ${longTokens} tokens are read, first token (in the engine)`;
  if (beside.length === 0) {
    return { row: { what, unit: "left out", against: "the long prompt was read too soon" }, ratio: null };
  }
  const all = (values: number[]) => values.map((ms) => ms.toFixed(0)).join(", ");
  progress(`  alone ${all(alone)} ms; beside ${all(beside)} ms; read ${read} tokens meanwhile`);
  return compared(what, "ms", [median(beside), median(alone)], "alone", median(beside) / median(alone));
}
