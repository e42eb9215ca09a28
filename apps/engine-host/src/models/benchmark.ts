import { setTimeout as delay } from "node:timers/promises";
import { type BenchEvent, type BenchReport, benchReport, type BenchRow, CorralError } from "@corral/protocol";
import { z } from "zod";
import { type BareLoop, type BareLoopTimes, startBareLoop } from "../engines/bare-loop.ts";
import type { GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { Store } from "../store/store.ts";
import { loadSettings } from "./load-settings.ts";
import type { ModelLease, Models } from "./models.ts";

/** Reports kept, newest first. */
const keptReports = 20;
const settingsKey = "bench-reports";
/** Tokens of one reply: long enough that its ends do not matter. */
const replyTokens = 128;
/** Tokens of a long prompt, about; a quarter of the context at most. */
const longPromptTokens = 2048;
/** Replies side by side, as far as the model has slots. */
const streamCounts = [1, 4, 8, 16];
/** The threads of the side that rests must have stopped spinning, ms. */
const restMs = 500;
/** The synthetic text has about this many tokens per word. */
const tokensPerWord = 2;

interface Measured {
  firstTokenMs: number;
  totalMs: number;
  statistics: GenerationStatistics;
}

/** Measures what a model does on this machine, through the scheduler as replies run, and beside node-llama-cpp alone. */
export class Benchmark {
  readonly #models: Pick<Models, "acquire" | "unload" | "plan" | "forgetConversation">;
  readonly #hardware: Pick<Hardware, "snapshot">;
  readonly #settings: Store["settings"];
  #isRunning = false;

  constructor(services: {
    models: Pick<Models, "acquire" | "unload" | "plan" | "forgetConversation">;
    hardware: Pick<Hardware, "snapshot">;
    settings: Store["settings"];
  }) {
    this.#models = services.models;
    this.#hardware = services.hardware;
    this.#settings = services.settings;
  }

  /** Newest first. */
  async reports(): Promise<BenchReport[]> {
    const stored = await this.#settings.get(settingsKey);
    return stored === null ? [] : (z.array(benchReport).safeParse(JSON.parse(stored)).data ?? []);
  }

  /**
   * Measures a model (null: the default one), which is unloaded twice on the way; ends with the report, which is kept.
   * @throws CorralError as `Models.acquire`; INVALID_INPUT while another measurement runs
   */
  async *run(model: string | null, signal: AbortSignal): AsyncGenerator<BenchEvent, void> {
    if (this.#isRunning) {
      const reason = "Another measurement is running, and two would disturb each other.";
      throw new CorralError("INVALID_INPUT", `${reason} Wait until it has ended.`, { field: "model", reason });
    }
    this.#isRunning = true;
    const owner = `bench:${performance.now()}`;
    try {
      yield* this.#measure(model, owner, signal);
    } finally {
      this.#isRunning = false;
      await this.#models.forgetConversation(owner);
    }
  }

  async *#measure(wanted: string | null, owner: string, signal: AbortSignal): AsyncGenerator<BenchEvent, void> {
    const total = 7;
    const progress = (done: number, step: Extract<BenchEvent, { type: "progress" }>["step"]): BenchEvent => ({
      ...{ type: "progress", done, total, step },
    });
    yield progress(0, "load");
    const first = await this.#models.acquire(wanted, { signal });
    const { summary } = first;
    const { slots, contextSize } = first.model.facts;
    const slotCount = slots.reduce((sum, { count }) => sum + count, 0);
    const counts = streamCounts.filter((count) => count <= slotCount);
    const longWords = Math.floor(Math.min(longPromptTokens, contextSize / 4) / tokensPerWord);
    const long = requestOf(wordsFrom(1, longWords), { owner, maxTokens: 16 });
    const short = (seed: number) => requestOf(wordsFrom(seed, 24), { owner: null, maxTokens: replyTokens });
    let cold: Measured;
    let warm: Measured;
    let single: Measured;
    const streams: { count: number; totalMs: number; tokens: number; promptTokens: number }[] = [];
    try {
      await generate(first, short(2), signal);
      yield progress(1, "ttft-cold");
      cold = await generate(first, long, signal);
      yield progress(2, "ttft-warm");
      warm = await generate(first, long, signal);
      await delay(restMs, undefined, { signal });
      yield progress(3, "decode");
      single = await generate(first, short(3), signal);
      yield progress(4, "streams");
      for (const count of counts) {
        const start = performance.now();
        const all = await Promise.all(
          Array.from({ length: count }, (_, index) => generate(first, short(100 * count + index), signal)),
        );
        const tokens = all.reduce((sum, { statistics }) => sum + statistics.completionTokens, 0);
        const promptTokens = all[0]!.statistics.promptTokens;
        streams.push({ count, totalMs: performance.now() - start, tokens, promptTokens });
      }
    } finally {
      await first[Symbol.asyncDispose]();
    }
    yield progress(5, "ttft-restored");
    const plan = await this.#models.plan(summary.id);
    await this.#models.unload(summary.id);
    const restored = await this.#again(summary.id, long, signal);
    await this.#models.unload(summary.id);

    yield progress(6, "prefill");
    const { batchSize = 512, mapsWeights = true, visibleGpus } = loadSettings(plan, "generate", noFiles);
    await using loop = await startBareLoop(
      {
        path: summary.file,
        contextSize: cold.statistics.promptTokens + replyTokens + 64,
        sequences: Math.max(...counts),
        threads: plan.threads,
        gpuLayers: plan.gpuLayers,
        batchSize,
        kvCacheType: plan.kvCacheType,
        mapsWeights,
      },
      { signal, ...(visibleGpus ? { visibleGpus } : {}) },
    );
    await loop.generate({ streams: 1, promptTokens: 64, completionTokens: replyTokens });
    const rows = await rowsOf({ cold, warm, restored, single, streams }, loop);
    const { cpu, memory, gpus } = await this.#hardware.snapshot();
    const report: BenchReport = {
      measuredAt: new Date().toISOString(),
      model: { id: summary.id, name: summary.name, quantization: summary.quantization },
      machine: {
        cpu: cpu.name,
        cores: cpu.physicalCores,
        memoryBytes: memory.totalBytes,
        gpus: gpus.map(({ name }) => name),
      },
      rows,
    };
    await this.#settings.set(settingsKey, JSON.stringify([report, ...(await this.reports())].slice(0, keptReports)));
    yield { type: "report", report };
  }

  /** The same request once more after the model was loaded anew; null when nothing was kept on disk for it. */
  async #again(model: string, request: GenerateRequest, signal: AbortSignal): Promise<Measured | null> {
    await using lease = await this.#models.acquire(model, { signal });
    const measured = await generate(lease, request, signal);
    return (measured.statistics.restoredTokens ?? 0) > 0 ? measured : null;
  }
}

const noFiles = { stateDirectory: null, stateBudgetBytes: 0, draftPath: null };

async function rowsOf(
  measured: {
    cold: Measured;
    warm: Measured;
    restored: Measured | null;
    single: Measured;
    streams: { count: number; totalMs: number; tokens: number; promptTokens: number }[];
  },
  loop: BareLoop,
): Promise<BenchRow[]> {
  const { cold, warm, restored, single, streams } = measured;
  const bareLong = await loop.generate({
    streams: 1,
    promptTokens: cold.statistics.promptTokens,
    completionTokens: 16,
  });
  const { promptTokens, completionTokens } = single.statistics;
  const bareShort = await loop.generate({ streams: 1, promptTokens, completionTokens });
  const rate = (tokens: number, ms: number) => (tokens * 1000) / Math.max(ms, 0.001);
  const decode = ({ firstTokenMs, totalMs, statistics }: Measured) =>
    rate(statistics.completionTokens - 1, totalMs - firstTokenMs);
  const bareDecode = ({ decodeMs }: BareLoopTimes) => rate(completionTokens - 1, decodeMs);
  const coldTokens = cold.statistics.promptTokens;
  const rows: BenchRow[] = [
    fast("prefill", rate(coldTokens, cold.firstTokenMs), rate(coldTokens, bareLong.firstTokenMs)),
    fast("decode", decode(single), bareDecode(bareShort)),
    slow("ttft-cold", cold.firstTokenMs, bareLong.firstTokenMs),
    slow("ttft-warm", warm.firstTokenMs, null),
  ];
  if (restored) rows.push(slow("ttft-restored", restored.firstTokenMs, null));
  for (const { count, totalMs, tokens, promptTokens: prompt } of streams) {
    const each = Math.round(tokens / count);
    const bare = await loop.generate({ streams: count, promptTokens: prompt, completionTokens: each });
    rows.push({ ...fast("streams", rate(tokens, totalMs), rate(each * count, bare.totalMs)), streams: count });
  }
  return rows;
}

function fast(id: BenchRow["id"], corral: number, bare: number): BenchRow {
  return { id, unit: "tok/s", corral: figure(corral), bare: figure(bare), ratio: figure(corral / bare) };
}

function slow(id: BenchRow["id"], corral: number, bare: number | null): BenchRow {
  const ratio = bare === null ? null : figure(bare / corral);
  return { id, unit: "ms", corral: figure(corral), bare: bare === null ? null : figure(bare), ratio };
}

/** Three digits say all that is known. */
function figure(value: number): number {
  return Number(value.toPrecision(3));
}

async function generate(lease: ModelLease, request: GenerateRequest, signal: AbortSignal): Promise<Measured> {
  const start = performance.now();
  let firstTokenMs: number | null = null;
  for await (const part of lease.generate(request, signal)) {
    if (part.type === "text-delta") firstTokenMs ??= performance.now() - start;
    if (part.type !== "finish") continue;
    signal.throwIfAborted();
    const totalMs = performance.now() - start;
    return { firstTokenMs: firstTokenMs ?? totalMs, totalMs, statistics: part.statistics };
  }
  throw new Error("The reply did not end.");
}

function requestOf(text: string, { owner, maxTokens }: { owner: string | null; maxTokens: number }): GenerateRequest {
  return {
    messages: [{ role: "user", text: `Write a long story with these words: ${text}` }],
    ...(owner === null ? {} : { cacheOwner: owner }),
    maxTokens,
    ...{ temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 },
  };
}

const words = "river stone lamp garden winter letter bridge horse window music paper silver harvest island".split(" ");

/** Words that say nothing; the same for the same seed. */
function wordsFrom(seed: number, count: number): string {
  return Array.from({ length: count }, (_, at) => words[(at * (seed + 1) + seed * 7 + (at >> 3)) % words.length]).join(
    " ",
  );
}
