import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, release, totalmem } from "node:os";
import { CorralError, type GpuDevice, type HardwareSnapshot } from "@corral/protocol";
import systeminformation from "systeminformation";
import type { Hardware } from "./hardware.ts";
import { readNvidiaGpus } from "./nvidia-smi.ts";
import { withinTime } from "./timeout.ts";

export interface HardwareOptions {
  /** The disk that holds this folder is the one described. */
  diskPath: string;
  /** nvidia-smi, or its path. */
  nvidiaSmi?: string;
  /** Longest time for each source, ms. */
  timeoutMs?: number;
}

const mebibyte = 2 ** 20;
/** The part of main memory macOS lets the GPU use by default (recommendedMaxWorkingSetSize is 65 to 75 %). */
const appleGpuShare = 0.65;

/** The hardware of this machine, read anew with each snapshot. */
export function createHardware(options: HardwareOptions): Hardware {
  const { diskPath, nvidiaSmi = "nvidia-smi", timeoutMs = 2000 } = options;
  return {
    async snapshot(signal) {
      if (signal?.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
      const notes: string[] = [];
      const read = <Value>(what: string, reader: () => Promise<Value>) =>
        withinTime(timeoutMs, what, (sentence) => notes.push(sentence), reader);

      const [os, cpu, memory, nvidia, graphics, disk] = await Promise.all([
        read("The operating system's name", () => systeminformation.osInfo()),
        read("The processor", () => systeminformation.cpu()),
        read("The memory", () => systeminformation.mem()),
        read("nvidia-smi", () => readNvidiaGpus(nvidiaSmi, timeoutMs, signal)),
        read("The graphics cards", () => systeminformation.graphics()),
        read("The disk", () => statfs(diskPath)),
      ]);
      if (signal?.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
      const totals = memoryOf(memory);
      return {
        takenAt: new Date().toISOString(),
        os: {
          platform: process.platform,
          distribution: os ? `${os.distro} ${os.release}`.trim() : release(),
          architecture: process.arch,
        },
        cpu: cpuOf(cpu),
        memory: totals,
        gpus: [...(nvidia ?? []), ...otherGpus(graphics, nvidia ?? [], totals)],
        disk: { path: diskPath, freeBytes: disk ? disk.bavail * disk.bsize : null },
        notes,
      };
    },
  };
}

function cpuOf(cpu: systeminformation.Systeminformation.CpuData | null): HardwareSnapshot["cpu"] {
  const logicalCores = availableParallelism();
  const name = [cpu?.manufacturer, cpu?.brand].filter(Boolean).join(" ") || cpus()[0]?.model || "CPU";
  // A container may have fewer cores than the machine.
  return { name, physicalCores: Math.max(1, Math.min(cpu?.physicalCores || logicalCores, logicalCores)), logicalCores };
}

/** Free memory is what a new program can get, caches included; a container's own limit counts. */
function memoryOf(memory: systeminformation.Systeminformation.MemData | null): HardwareSnapshot["memory"] {
  const limit = process.constrainedMemory();
  const total = memory?.total ?? totalmem();
  return {
    totalBytes: limit > 0 ? Math.min(limit, total) : total,
    availableBytes: Math.min(memory?.available ?? freemem(), process.availableMemory()),
  };
}

/** Graphics cards nvidia-smi does not know. How much of their memory is free nobody tells, except on Apple's chips. */
function otherGpus(
  graphics: systeminformation.Systeminformation.GraphicsData | null,
  known: readonly GpuDevice[],
  memory: HardwareSnapshot["memory"],
): GpuDevice[] {
  const controllers = graphics?.controllers ?? [];
  return controllers
    .filter(({ vendor }) => known.length === 0 || !/nvidia/i.test(vendor))
    .map((controller, position): GpuDevice => {
      const isApple = process.platform === "darwin" && process.arch === "arm64";
      const appleBytes = Math.floor(memory.totalBytes * appleGpuShare);
      const vramBytes = controller.vram && !controller.vramDynamic ? controller.vram * mebibyte : null;
      return {
        id: controller.busAddress ?? `gpu-${known.length + position}`,
        index: known.length + position,
        name: controller.model || "Graphics card",
        vendor: controller.vendor,
        totalBytes: isApple ? appleBytes : vramBytes,
        freeBytes: isApple ? Math.min(appleBytes, memory.availableBytes) : null,
        driver: controller.driverVersion ?? null,
        source: "systeminformation",
      };
    });
}
