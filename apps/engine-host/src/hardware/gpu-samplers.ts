import { join } from "node:path";
import type { GpuDevice, GpuSample } from "@corral/protocol";
import { memoryAndLoadOf as amdMetricsOf, parseMetrics } from "./amd-smi.ts";
import { ioregArguments, parseAccelerator } from "./apple-gpu.ts";
import { NvidiaLoop } from "./nvidia-loop.ts";
import { partMemory } from "./nvidia-smi.ts";
import { amdLoadOf } from "./pci-gpus.ts";
import { parseRocmSmi } from "./rocm-smi.ts";
import { jsonOf, objectOf } from "./tool-values.ts";
import { memoryAndLoadOf as intelLoadOf } from "./xpu-smi.ts";

/** What changes of one device; what a source does not tell is absent or null. */
export type GpuLoad = Partial<Omit<GpuSample, "id">>;

/** Reads what changes of some devices, again and again. */
export interface GpuSampler {
  /** By the id of the device. @throws Error when its source gives no answer */
  sample(): Promise<Map<string, GpuLoad>>;
  close(): void;
}

/** What samplers work with. */
export interface SamplingTools {
  /** Runs a program. @throws ToolError */
  run(program: string, args: readonly string[]): Promise<string>;
  sysRoot: string;
  environment: NodeJS.ProcessEnv;
  intervalMs: number;
}

/** One sampler for each source that leads for some device: the cheapest way to what changes of it. */
export function samplersFor(gpus: readonly GpuDevice[], tools: SamplingTools): GpuSampler[] {
  const of = (source: string) => gpus.filter((gpu) => gpu.source === source);
  const nvidia = of("nvidia-smi");
  const samplers: GpuSampler[] = [];
  if (nvidia.some((gpu) => gpu.partition === null)) samplers.push(new NvidiaLoop(tools));
  if (nvidia.some((gpu) => gpu.partition !== null)) samplers.push(migSampler(nvidia, tools));
  const files = gpus.filter((gpu) => gpu.vendor === "AMD" && gpu.sources.includes("pci") && gpu.busAddress !== null);
  if (files.length > 0) samplers.push(amdFileSampler(files, tools));
  const amdSmi = of("amd-smi").filter((gpu) => !files.includes(gpu));
  if (amdSmi.length > 0) samplers.push(amdSmiSampler(amdSmi, tools));
  const rocmSmi = of("rocm-smi").filter((gpu) => !files.includes(gpu));
  if (rocmSmi.length > 0) samplers.push(rocmSmiSampler(rocmSmi, tools));
  for (const gpu of of("xpu-smi")) samplers.push(intelSampler(gpu, tools));
  for (const gpu of of("sysctl")) samplers.push(appleSampler(gpu, tools));
  return samplers;
}

/** A sampler without anything to close. */
function reading(sample: GpuSampler["sample"]): GpuSampler {
  return { sample, close: () => undefined };
}

/** Only nvidia-smi's own table tells the memory of the parts of a GPU. Parts stand in the order of their numbers. */
function migSampler(gpus: readonly GpuDevice[], { run }: SamplingTools): GpuSampler {
  const parts = gpus.filter((gpu) => gpu.partition !== null);
  return reading(async () => {
    const memory = partMemory(await run("nvidia-smi", []));
    const loads = new Map<string, GpuLoad>();
    for (const part of parts) {
      const siblings = parts.filter((other) => other.partition?.parentId === part.partition?.parentId);
      const found = memory.get(`${part.index}/${siblings.indexOf(part)}`);
      if (!found) continue;
      loads.set(part.id, { usedBytes: found.usedBytes, freeBytes: found.totalBytes - found.usedBytes });
    }
    return loads;
  });
}

/** The kernel's files cost next to nothing; AMD's tools start Python each time. */
function amdFileSampler(gpus: readonly GpuDevice[], { sysRoot }: SamplingTools): GpuSampler {
  return reading(async () => {
    const loads = gpus.map(async (gpu) => {
      const load = await amdLoadOf(join(sysRoot, "bus/pci/devices", gpu.busAddress ?? ""));
      return [gpu.id, load] as const;
    });
    return new Map(await Promise.all(loads));
  });
}

function amdSmiSampler(gpus: readonly GpuDevice[], { run }: SamplingTools): GpuSampler {
  return reading(async () => {
    const metrics = parseMetrics(
      await run("amd-smi", ["metric", "--usage", "--power", "--temperature", "--mem-usage", "--json"]),
    );
    return new Map(gpus.map((gpu) => [gpu.id, amdMetricsOf(metrics.get(gpu.index) ?? {}, gpu.totalBytes)]));
  });
}

function rocmSmiSampler(gpus: readonly GpuDevice[], { run }: SamplingTools): GpuSampler {
  const args = ["--showmeminfo", "vram", "--showuse", "--showpower", "--showtemp", "--json"];
  return reading(async () => {
    const cards = parseRocmSmi(await run("rocm-smi", args)).gpus;
    return new Map(gpus.map((gpu) => [gpu.id, cards.find(({ index }) => index === gpu.index) ?? {}]));
  });
}

function intelSampler(gpu: GpuDevice, { run }: SamplingTools): GpuSampler {
  return reading(async () => {
    const stats = objectOf(jsonOf(await run("xpu-smi", ["stats", "-d", String(gpu.index), "-j"])));
    const load = intelLoadOf(stats);
    const { usedBytes } = load;
    const left = gpu.totalBytes === null || usedBytes === null ? null : Math.max(0, gpu.totalBytes - usedBytes);
    return new Map([[gpu.id, { ...load, freeBytes: left }]]);
  });
}

function appleSampler(gpu: GpuDevice, { run }: SamplingTools): GpuSampler {
  return reading(async () => {
    const { usedBytes, utilizationPercent } = parseAccelerator(await run("ioreg", ioregArguments));
    const freeBytes = gpu.totalBytes === null ? null : Math.max(0, gpu.totalBytes - (usedBytes ?? 0));
    return new Map([[gpu.id, { usedBytes, freeBytes, utilizationPercent }]]);
  });
}
