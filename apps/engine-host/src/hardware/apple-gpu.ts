import type { GpuSource } from "./gpu-reading.ts";
import { ToolError } from "./run-tool.ts";
import { bytesOf, countOf, numberWithin, textOf } from "./tool-values.ts";

/** Runs a program of macOS. @throws ToolError */
export type AskApple = (program: string, args: readonly string[]) => Promise<string>;

/** Arguments of ioreg that print the GPU's own figures. */
export const ioregArguments = ["-r", "-d", "1", "-w", "0", "-c", "IOAccelerator"];

/**
 * The GPU of an Apple chip. Its memory is the main memory, of which macOS lets it have a part: `iogpu.wired_limit_mb`
 * where somebody has set that, else Metal's recommendedMaxWorkingSetSize.
 * @throws ToolError
 */
export async function readAppleGpu(ask: AskApple): Promise<GpuSource> {
  const keys = ["hw.memsize", "machdep.cpu.brand_string", "iogpu.wired_limit_mb"];
  const [settings, registry] = await Promise.all([
    // A key the system does not know makes it fail after the others are printed.
    ask("sysctl", keys).catch((error: unknown) => {
      if (error instanceof ToolError && error.output !== "") return error.output;
      throw error;
    }),
    ask("ioreg", ioregArguments).catch((error: unknown) => {
      if (error instanceof ToolError) return "";
      throw error;
    }),
  ]);
  const setting = (key: string) => new RegExp(`^${key.replaceAll(".", "\\.")}: (.*)$`, "m").exec(settings)?.[1];
  const memoryBytes = bytesOf(setting("hw.memsize"));
  const limitBytes = bytesOf(setting("iogpu.wired_limit_mb"), 2 ** 20);
  const totalBytes = memoryBytes === null ? null : limitBytes || workingSetOf(memoryBytes);
  const load = parseAccelerator(registry);
  const name = load.name ?? textOf(setting("machdep.cpu.brand_string")) ?? "Apple GPU";
  return {
    gpus: [
      {
        source: "sysctl",
        vendor: "Apple",
        backend: "metal",
        index: 0,
        uuid: null,
        busAddress: null,
        name: load.cores === null ? name : `${name} (${load.cores} GPU cores)`,
        totalBytes,
        usedBytes: load.usedBytes,
        freeBytes: totalBytes === null ? null : Math.max(0, totalBytes - (load.usedBytes ?? 0)),
        utilizationPercent: load.utilizationPercent,
        unifiedMemory: true,
      },
    ],
    notes: [],
  };
}

/**
 * Metal's recommendedMaxWorkingSetSize: what llama.cpp prints of it is two thirds of the memory up to 32 GiB
 * (11453.25 MB of 16 GiB, 17179.89 MB of 24 GiB) and three quarters from 36 GiB on (28991.03 MB of 36 GiB,
 * 51539.61 MB of 64 GiB). Bytes.
 */
export function workingSetOf(memoryBytes: number): number {
  return Math.floor(memoryBytes >= 36 * 2 ** 30 ? (memoryBytes * 3) / 4 : (memoryBytes * 2) / 3);
}

/** The GPU's figures in what ioreg prints. */
export function parseAccelerator(registry: string) {
  return {
    name: textOf(/"model" = "([^"]{1,80})"/.exec(registry)?.[1]),
    cores: countOf(/"gpu-core-count" = (\d{1,4})/.exec(registry)?.[1]),
    // Not "In use system memory (driver)", which stands beside it.
    usedBytes: bytesOf(/"In use system memory"=(\d{1,16})/.exec(registry)?.[1]),
    utilizationPercent: numberWithin(/"Device Utilization %"=(\d{1,3})/.exec(registry)?.[1], 0, 100),
  };
}
