import { cpus } from "node:os";
import type { GpuSample, HardwareSample, HardwareSnapshot } from "@corral/protocol";
import { samplersFor, type GpuLoad, type GpuSampler } from "./gpu-samplers.ts";
import { runTool } from "./run-tool.ts";

export interface LiveSamplingOptions {
  snapshot(signal: AbortSignal): Promise<HardwareSnapshot>;
  readMemory(): Promise<HardwareSnapshot["memory"]>;
  sysRoot: string;
  environment: NodeJS.ProcessEnv;
  /** Time from one sample to the next, ms. */
  intervalMs: number;
  /** Longest time for one reading, ms. */
  timeoutMs: number;
}

/** A source that gave no answer is left alone for this many intervals: a hung driver must not collect processes. */
const restAfterFailure = 5;

/** One sampling shared by all watchers; it runs from the first watcher's coming to the last one's going. */
export class LiveSampling {
  readonly #options: LiveSamplingOptions;
  readonly #watchers = new Set<() => void>();
  #running: AbortController | null = null;
  #newest: HardwareSample | null = null;

  constructor(options: LiveSamplingOptions) {
    this.#options = options;
  }

  /** Each sample until the signal aborts; a slow reader misses samples, never the newest. */
  async *watch(signal: AbortSignal): AsyncGenerator<HardwareSample, void, void> {
    let wake = Promise.withResolvers<void>();
    const notice = () => wake.resolve();
    this.#watchers.add(notice);
    signal.addEventListener("abort", notice, { once: true });
    try {
      this.#running ??= this.#start();
      let told: HardwareSample | null = null;
      while (!signal.aborted) {
        if (this.#newest !== null && this.#newest !== told) {
          told = this.#newest;
          yield told;
          continue;
        }
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      signal.removeEventListener("abort", notice);
      this.#watchers.delete(notice);
      if (this.#watchers.size === 0) this.#stop();
    }
  }

  #start(): AbortController {
    const running = new AbortController();
    void this.#sample(running.signal);
    return running;
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#newest = null;
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { snapshot, readMemory, sysRoot, environment, intervalMs, timeoutMs } = this.#options;
    const run = (program: string, args: readonly string[]) =>
      runTool(program, args, { timeoutMs, signal, environment });
    const machine = await snapshot(signal).catch(() => null);
    if (signal.aborted) return;
    const gpus = machine?.gpus ?? [];
    const samplers = samplersFor(gpus, { run, sysRoot, environment, intervalMs }).map(restingAfterFailure);
    signal.addEventListener("abort", () => samplers.forEach((sampler) => sampler.close()), { once: true });
    let before = processorTimes();
    while (!signal.aborted) {
      const started = performance.now();
      const [memory, ...loads] = await Promise.all([readMemory(), ...samplers.map((sampler) => sampler.sample())]);
      if (signal.aborted) return;
      const now = processorTimes();
      this.#newest = {
        takenAt: new Date().toISOString(),
        cpu: { utilizationPercent: utilizationBetween(before, now) },
        memory,
        gpus: gpus.map((gpu) => sampleOf(gpu, loads, memory)),
      };
      before = now;
      for (const notice of this.#watchers) notice();
      await pause(intervalMs - (performance.now() - started), signal);
    }
  }
}

/** Of several sources each figure comes from the first that tells it. */
function sampleOf(
  gpu: HardwareSnapshot["gpus"][number],
  loads: readonly Map<string, GpuLoad>[],
  memory: HardwareSnapshot["memory"],
): GpuSample {
  const told = loads.flatMap((load) => load.get(gpu.id) ?? []);
  const value = (key: keyof GpuLoad) => told.find((load) => load[key] != null)?.[key] ?? null;
  const usedBytes = value("usedBytes");
  const ownFree = value("freeBytes") ?? (gpu.unifiedMemory ? (gpu.totalBytes ?? 0) - (usedBytes ?? 0) : null);
  return {
    id: gpu.id,
    usedBytes,
    freeBytes: gpu.unifiedMemory && ownFree !== null ? Math.min(ownFree, memory.availableBytes) : ownFree,
    utilizationPercent: value("utilizationPercent"),
    temperatureCelsius: value("temperatureCelsius"),
    powerWatts: value("powerWatts"),
  };
}

function restingAfterFailure(sampler: GpuSampler): GpuSampler {
  let rest = 0;
  return {
    close: () => sampler.close(),
    sample: async () => {
      if (rest-- > 0) return new Map();
      try {
        return await sampler.sample();
      } catch {
        // The snapshot tells why; here its figures are missing until it answers again.
        rest = restAfterFailure;
        return new Map();
      }
    },
  };
}

interface ProcessorTimes {
  busy: number;
  idle: number;
}

/** Time all cores spent since the machine started, ms. */
function processorTimes(): ProcessorTimes {
  const times = { busy: 0, idle: 0 };
  for (const { times: core } of cpus()) {
    times.idle += core.idle;
    times.busy += core.user + core.nice + core.sys + core.irq;
  }
  return times;
}

function utilizationBetween(before: ProcessorTimes, now: ProcessorTimes): number | null {
  const busy = now.busy - before.busy;
  const all = busy + now.idle - before.idle;
  return all > 0 ? Math.min(100, Math.max(0, (100 * busy) / all)) : null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
