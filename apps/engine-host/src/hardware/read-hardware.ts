import { statfs } from "node:fs/promises";
import { freemem, release, totalmem } from "node:os";
import { CorralError, type HardwareSnapshot } from "@corral/protocol";
import systeminformation, { type Systeminformation } from "systeminformation";
import type { GpuReading } from "./gpu-reading.ts";
import { readGpuSources, type Machine, type VulkanDevice } from "./gpu-sources.ts";
import type { Hardware } from "./hardware.ts";
import { LiveSampling } from "./live-sampling.ts";
import { ownProcesses } from "./own-process.ts";
import { processorOf, readInstructionSets, readNumaNodes } from "./processor.ts";
import { reconcile } from "./reconcile.ts";
import { runTool, ToolError } from "./run-tool.ts";
import { withinTime } from "./timeout.ts";
import { bytesOf, textOf } from "./tool-values.ts";

/** The part of systeminformation that is read. */
export interface SystemInformation {
  /** Asked only on Macs with an Intel processor and the like: on Linux and Windows it runs nvidia-smi synchronously. */
  graphics(): Promise<{ controllers: Pick<Systeminformation.GraphicsControllerData, "vendor" | "model" | "vram">[] }>;
  osInfo(): Promise<Pick<Systeminformation.OsData, "distro" | "release">>;
  cpu(): Promise<Pick<Systeminformation.CpuData, "manufacturer" | "brand" | "physicalCores">>;
  mem(): Promise<Pick<Systeminformation.MemData, "total" | "available">>;
}

export interface HardwareOptions {
  /** The disk that holds this folder is the one described. */
  diskPath: string;
  /** Longest time for all sources together, ms. */
  timeoutMs?: number;
  /** Time from one live sample to the next, ms. */
  intervalMs?: number;
  /** The GPUs Vulkan lists, from whoever has an engine. */
  vulkan?: () => Promise<VulkanDevice[]>;
  /** Environment of the vendors' tools; their PATH is where they are looked for. */
  environment?: NodeJS.ProcessEnv;
  /** Another machine than this one, for tests. */
  machine?: Partial<Pick<Machine, "platform" | "architecture" | "sysRoot">> & {
    procRoot?: string;
    system?: SystemInformation;
    /** Whether a container's limits and the memory of this very machine count. */
    isElsewhere?: boolean;
  };
}

/** The hardware of this machine, read anew with each snapshot. */
export function createHardware(options: HardwareOptions): Hardware {
  const { diskPath, timeoutMs = 2000, intervalMs = 1000, vulkan, environment = process.env, machine = {} } = options;
  const { platform = process.platform, architecture = process.arch, sysRoot = "/sys", procRoot = "/proc" } = machine;
  const system = machine.system ?? systeminformation;
  const isOurs = platform === "linux" ? ownProcesses(procRoot) : () => Promise.resolve(false);

  const readMemory = async (): Promise<HardwareSnapshot["memory"]> => {
    // On Windows systeminformation starts PowerShell for what Node tells as well.
    const memory = platform === "win32" && !machine.isElsewhere ? null : await system.mem().catch(() => null);
    return machine.isElsewhere && memory
      ? { totalBytes: memory.total, availableBytes: memory.available }
      : memoryOf(memory);
  };

  const snapshot = async (signal?: AbortSignal): Promise<HardwareSnapshot> => {
    if (signal?.aborted) throw cancelled();
    const notes: string[] = [];
    const since = performance.now();
    const run: Machine["run"] = (program, args) => runTool(program, args, { timeoutMs, since, signal, environment });
    const read = <Value>(what: string, reader: () => Promise<Value>) =>
      withinTime(timeoutMs, what, (sentence) => notes.push(sentence), reader);
    const graphics = async () => graphicsOf(await system.graphics());
    const listed = vulkan ? read("Vulkan's list of GPUs", vulkan) : Promise.resolve(null);
    const sources = readGpuSources({ platform, architecture, sysRoot, run, isOurs, graphics, vulkan: listed });
    const [os, cpu, instructionSets, numaNodes, memory, disk, gpuReadings] = await Promise.all([
      read("The operating system's name", () => system.osInfo()),
      read("The processor", () => system.cpu()),
      read("The processor's instruction sets", () => readInstructionSets(procRoot, platform, architecture)),
      read("The NUMA nodes", () => (platform === "linux" ? readNumaNodes(sysRoot) : Promise.resolve([]))),
      read("The memory", readMemory),
      read("The disk", () => statfs(diskPath)),
      // The sources keep to the time themselves and say which of them was late.
      sources.catch((error: unknown) => {
        if (error instanceof ToolError && error.failure === "stopped") throw cancelled();
        throw error;
      }),
    ]);
    if (signal?.aborted) throw cancelled();
    const totals = memory ?? memoryOf(null);
    const { gpus, notes: disagreements } = reconcile(gpuReadings.gpus, totals);
    return {
      takenAt: new Date().toISOString(),
      os: { platform, distribution: os ? `${os.distro} ${os.release}`.trim() : release(), architecture },
      cpu: processorOf(cpu, instructionSets ?? []),
      memory: totals,
      numaNodes: numaNodes ?? [],
      gpus,
      runtimes: gpuReadings.runtimes,
      disk: { path: diskPath, freeBytes: disk ? disk.bavail * disk.bsize : null },
      notes: [...notes, ...gpuReadings.notes, ...disagreements],
    };
  };

  const sampling = new LiveSampling({ snapshot, readMemory, sysRoot, environment, intervalMs, timeoutMs });
  return { snapshot, watch: (signal) => sampling.watch(signal) };
}

/** Its sizes are in MiB. */
function graphicsOf({ controllers }: Awaited<ReturnType<SystemInformation["graphics"]>>): GpuReading[] {
  return controllers.map(({ vendor, model, vram }) => ({
    source: "systeminformation",
    vendor,
    uuid: null,
    busAddress: null,
    name: textOf(model) ?? "Graphics card",
    totalBytes: bytesOf(vram, 2 ** 20),
  }));
}

function cancelled(): CorralError<"CANCELLED"> {
  return new CorralError("CANCELLED", "Stopped on request.", {});
}

/** Free memory is what a new program can get, caches included; a container's own limit counts. */
function memoryOf(memory: { total: number; available: number } | null): HardwareSnapshot["memory"] {
  const limit = process.constrainedMemory();
  const total = memory?.total ?? totalmem();
  return {
    totalBytes: limit > 0 ? Math.min(limit, total) : total,
    availableBytes: Math.min(memory?.available ?? freemem(), process.availableMemory()),
  };
}
