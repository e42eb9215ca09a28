import { parseArgs } from "node:util";
import type { DeviceMemory } from "@corral/protocol";
import { readGgufHeader } from "../apps/engine-host/src/engines/gguf-header.ts";
import { createLlamaEngine } from "../apps/engine-host/src/engines/llama-engine.ts";
import { createHardware } from "../apps/engine-host/src/hardware/read-hardware.ts";
import { openLogger } from "../apps/engine-host/src/logger.ts";
import { loadSettings } from "../apps/engine-host/src/models/load-settings.ts";
import { plannedFile } from "../apps/engine-host/src/models/planner.ts";
import { planLoad } from "../apps/engine-host/src/planning/plan-load.ts";
import { benchModel, type ModelSize } from "./make-model.ts";
import { progress, report, round, type Table } from "./report.ts";

const contextSize = 131_072;
/** Left for the chat format and the reply, tokens. */
const margin = 512;
const mebibyte = 1 << 20;
/**
 * Resident memory may be above the plan by this share, or by these bytes where that is more, before the plan counts as
 * broken: the text and the tokens of a prompt this long take 20 to 40 MiB of the worker's JavaScript heap themselves.
 */
const tolerance = 0.05;
const toleratedBytes = 64 << 20;

/** Reads a prompt of 131,072 tokens for at most so long. */
async function measure(
  size: ModelSize,
  minutes: number,
  threads: number,
): Promise<{ row: Table[number]; isHeld: boolean }> {
  const path = benchModel(size, size === "tiny" ? "q8_0" : "q4_k_m");
  const never = new AbortController().signal;
  const hardware = { ...(await createHardware({ diskPath: "/" }).snapshot(never)), gpus: [] };
  const wishes = { contextSize, users: 1, pins: { contextSize } };
  const plan = planLoad(plannedFile(size, await readGgufHeader(path)), hardware, wishes);
  const [planned] = plan.devices;
  if (!planned || !plan.fits) throw new Error(`${size}: ${plan.reasons[0]}`);
  const files = { stateDirectory: null, stateBudgetBytes: 0, draftPath: null };
  const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
  const settings = { ...loadSettings(plan, "generate", files), threads };
  await using model = await engine.load({ id: size, path }, settings, { signal: never });
  const sample = "The boat lies in the harbour and waits for a letter from the island. ".repeat(100);
  const [tokens = 1] = await model.countTokens([sample]);
  const text = sample.repeat(Math.floor((contextSize - margin) / tokens));
  const stop = AbortSignal.timeout(minutes * 60_000);
  const start = performance.now();
  let read = 0;
  let ms = 0;
  let told = 0;
  let isWhole = false;
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 };
  for await (const part of model.generate({ messages: [{ role: "user", text }], maxTokens: 8, ...sampling }, stop)) {
    if (part.type === "prefill-progress") {
      read = part.done;
      ms = performance.now() - start;
      if (ms > told + 15_000)
        progress(`  ${size}: ${part.done} of ${part.total} tokens in ${Math.round((told = ms) / 1000)} s`);
    }
    if (part.type === "finish" && part.reason !== "cancelled") {
      isWhole = true;
      read = part.statistics.promptTokens;
      ms = part.statistics.prefillMs;
    }
  }
  // The worker tells its resident memory once a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const resident = model.resident?.peakBytes ?? Number.NaN;
  const wanted = needOf(planned);
  return {
    isHeld: resident <= wanted + Math.max(wanted * tolerance, toleratedBytes),
    row: {
      model: size,
      "KV cache": plan.kvCacheType,
      threads,
      "tokens read": `${read} of ${contextSize}${isWhole ? "" : ` (stopped after ${minutes} min)`}`,
      seconds: round(ms / 1000, 1),
      "prefill tok/s": round((read * 1000) / ms, 1),
      "planned, MiB": round(wanted / mebibyte, 1),
      "resident, MiB": round(resident / mebibyte, 1),
      "resident of planned": round(resident / wanted, 3),
    },
  };
}

function needOf({ weightsBytes, kvCacheBytes, computeBytes, overheadBytes }: DeviceMemory): number {
  return weightsBytes + kvCacheBytes + computeBytes + overheadBytes;
}

/**
 * `npm run bench -- long-context [tiny,1b] [--minutes 3] [--threads 2]`: loads a model with a context of 131,072 tokens, reads
 * as much of it as the minutes (for each model) allow, and holds the resident memory against the plan. On two cores a 1B
 * takes hours for all of it; the tiny model reads it whole.
 */
export async function run(parameters: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: { minutes: { type: "string", default: "3" }, threads: { type: "string", default: "2" } },
  });
  const table: Table = [];
  const goals: Record<string, boolean> = {};
  for (const size of (positionals[0] ?? "tiny,1b").split(",") as ModelSize[]) {
    progress(`${size} with ${contextSize} tokens of context`);
    const { row, isHeld } = await measure(size, Number(values.minutes), Number(values.threads));
    table.push(row);
    goals[`${size}: resident memory at most ${tolerance * 100} % or 64 MiB above the plan`] = isHeld;
  }
  report("long-context", { "A context of 131,072 tokens": table }, goals);
}
