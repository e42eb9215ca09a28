import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeviceMemory, KvCacheType } from "@corral/protocol";
import type { LoadedModel } from "../apps/engine-host/src/engines/engine.ts";
import { readGgufHeader } from "../apps/engine-host/src/engines/gguf-header.ts";
import { createLlamaEngine } from "../apps/engine-host/src/engines/llama-engine.ts";
import { createHardware } from "../apps/engine-host/src/hardware/read-hardware.ts";
import { openLogger } from "../apps/engine-host/src/logger.ts";
import { plannedFile } from "../apps/engine-host/src/models/planner.ts";
import { batchTokensOf } from "../apps/engine-host/src/planning/memory-model.ts";
import { planLoad } from "../apps/engine-host/src/planning/plan-load.ts";
import { benchModel, type ModelSize, type Quantization } from "./make-model.ts";
import { progress, report, round, type Table } from "./report.ts";

const mebibyte = 2 ** 20;
const never = new AbortController().signal;
const quantizations: readonly Quantization[] = ["q4_k_m", "q8_0", "f16"];
const contexts = [8192, 32_768];
const kvCacheTypes: readonly KvCacheType[] = ["f16", "q8_0"];

/** Shares of the planned size by which the measured one may differ. */
const goals = { weights: 0.01, "KV cache": 0.01, "compute buffer": 0.1, resident: 0.05 };

/** How much more was measured than planned, as a share of what was planned. */
type Differences = Record<keyof typeof goals, number>;

/** A prompt of several batches, so that the whole compute buffer has been in use. */
async function useOnce(model: LoadedModel): Promise<void> {
  const messages = [{ role: "user" as const, text: "The lease ends in June. ".repeat(24) }];
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 };
  for await (const part of model.generate({ messages, maxTokens: 2, ...sampling }, never)) {
    if (part.type === "finish" && part.statistics.promptTokens < 140) throw new Error("The prompt is too short.");
  }
  // The worker tells its resident memory once a second.
  await sleep(1500);
}

async function measure(path: string, id: string, contextSize: number, kvCacheType: KvCacheType) {
  const snapshot = await createHardware({ diskPath: "/" }).snapshot(never);
  const pins = { contextSize, kvCacheType };
  const hardware = { ...snapshot, gpus: [] };
  const plan = planLoad(plannedFile(id, await readGgufHeader(path)), hardware, { contextSize, users: 1, pins });
  const [planned] = plan.devices;
  if (!planned || !plan.fits) throw new Error(`${id}: ${plan.reasons[0]}`);
  const engine = createLlamaEngine({ logger: openLogger({ directory: null, stderr: null }) });
  const settings = {
    slots: [{ contextSize, count: 1 }],
    gpuLayers: 0,
    threads: 1,
    kvCacheType,
    batchSize: batchTokensOf("cpu"),
  };
  await using model = await engine.load({ id, path }, settings, { signal: never });
  await useOnce(model);
  const allocated = model.facts.memory.find(({ gpu }) => gpu === null);
  if (!allocated || !model.resident) throw new Error("The worker told no sizes.");
  return { planned, allocated, residentBytes: model.resident.peakBytes };
}

function needOf({ weightsBytes, kvCacheBytes, computeBytes, overheadBytes }: DeviceMemory): number {
  return weightsBytes + kvCacheBytes + computeBytes + overheadBytes;
}

/**
 * `npm run bench -- fit [1b,3b] [f16,q8_0,q4_k_m]`: what the planner predicts for main memory beside what llama.cpp reports having
 * allocated and what is resident of the worker. The models (up to 6.4 GB) are made one at a time and removed again.
 */
export async function run([sizes = "1b,3b", types = quantizations.join()]: string[]): Promise<void> {
  const table: Table = [];
  const worst: Differences = { weights: 0, "KV cache": 0, "compute buffer": 0, resident: 0 };
  for (const size of sizes.split(",") as ModelSize[]) {
    for (const type of types.split(",") as Quantization[]) {
      progress(`making ${size} ${type}`);
      const path = benchModel(size, type);
      try {
        for (const contextSize of contexts) {
          for (const kvCacheType of kvCacheTypes) {
            progress(`  ${size} ${type}, ${contextSize} tokens, ${kvCacheType}`);
            const { planned, allocated, residentBytes } = await measure(path, size, contextSize, kvCacheType);
            const pairs: Record<keyof typeof goals, [planned: number, measured: number]> = {
              weights: [planned.weightsBytes, allocated.weightsBytes],
              "KV cache": [planned.kvCacheBytes, allocated.kvCacheBytes],
              "compute buffer": [planned.computeBytes, allocated.computeBytes],
              resident: [needOf(planned), residentBytes],
            };
            const row: Table[number] = { model: size, weights: type, context: contextSize, KV: kvCacheType };
            for (const [part, [was, is]] of Object.entries(pairs) as [keyof typeof goals, [number, number]][]) {
              const difference = is / was - 1;
              worst[part] = Math.max(worst[part], Math.abs(difference));
              row[`${part}, MiB`] = `${round(was / mebibyte, 1)} / ${round(is / mebibyte, 1)}`;
              row[`${part}, %`] = round(difference * 100, 2);
            }
            progress(`    ${JSON.stringify(row)}`);
            table.push(row);
          }
        }
      } finally {
        rmSync(path);
      }
    }
  }
  const met = Object.entries(goals).map(([part, most]) => [
    `${part}: planned and measured differ by at most ${most * 100} % (${round(worst[part as keyof typeof goals] * 100, 2)} %)`,
    worst[part as keyof typeof goals] <= most,
  ]);
  report("fit", { "Planned / measured, CPU": table }, Object.fromEntries(met) as Record<string, boolean>);
}
