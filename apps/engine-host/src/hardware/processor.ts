import { open, readdir, readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type { HardwareSnapshot, NumaNode } from "@corral/protocol";
import type { Systeminformation } from "systeminformation";
import { bytesOf, countOf, textOf } from "./tool-values.ts";

/** Flags of Linux's /proc/cpuinfo, x86 and ARM, by what llama.cpp calls the code it has for them. */
const sets: [name: string, flags: string[]][] = [
  ["SSE4.2", ["sse4_2"]],
  ["AVX", ["avx"]],
  ["AVX2", ["avx2"]],
  ["FMA", ["fma"]],
  ["F16C", ["f16c"]],
  ["AVX-VNNI", ["avx_vnni"]],
  // llama.cpp's AVX-512 code needs all of these (ggml-cpu, GGML_AVX512).
  ["AVX512", ["avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"]],
  ["AVX512-VBMI", ["avx512vbmi"]],
  ["AVX512-VNNI", ["avx512_vnni"]],
  ["AVX512-BF16", ["avx512_bf16"]],
  ["AMX", ["amx_tile", "amx_int8"]],
  ["NEON", ["asimd"]],
  ["DOTPROD", ["asimddp"]],
  ["I8MM", ["i8mm"]],
  ["SVE", ["sve"]],
  ["SME", ["sme"]],
];

/** The instruction sets among the flags of a processor. */
export function instructionSetsOf(flags: readonly string[]): string[] {
  const known = new Set(flags.map((flag) => flag.toLowerCase()));
  return sets.filter(([, needed]) => needed.every((flag) => known.has(flag))).map(([name]) => name);
}

/** Enough for the description of the first processor; a machine with 384 of them repeats it to a megabyte. Bytes. */
const firstProcessor = 16_384;

/** The instruction sets of this machine's processor; empty: not known. @param root where procfs is mounted */
export async function readInstructionSets(
  root: string,
  platform: NodeJS.Platform,
  architecture: string,
): Promise<string[]> {
  if (platform !== "linux") return architecture === "arm64" ? ["NEON"] : [];
  await using file = await open(join(root, "cpuinfo"));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(firstProcessor), 0, firstProcessor, 0);
  const description = buffer.toString("utf8", 0, bytesRead);
  return instructionSetsOf(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(description)?.[1]?.split(" ") ?? []);
}

/** The processor as systeminformation describes it. A container may have fewer cores than the machine. */
export function processorOf(
  cpu: Pick<Systeminformation.CpuData, "manufacturer" | "brand" | "physicalCores"> | null,
  instructionSets: string[],
): HardwareSnapshot["cpu"] {
  const logicalCores = availableParallelism();
  const name = [cpu?.manufacturer, cpu?.brand].filter(Boolean).join(" ") || cpus()[0]?.model || "CPU";
  const physicalCores = Math.max(1, Math.min(cpu?.physicalCores || logicalCores, logicalCores));
  return { name, physicalCores, logicalCores, instructionSets };
}

/** The NUMA nodes Linux knows; empty elsewhere. @param root where sysfs is mounted */
export async function readNumaNodes(root: string): Promise<NumaNode[]> {
  const folder = join(root, "devices/system/node");
  const names = await readdir(folder).catch(() => []);
  const nodes = await Promise.all(
    names.map(async (name): Promise<NumaNode[]> => {
      const id = countOf(/^node(\d{1,4})$/.exec(name)?.[1]);
      if (id === null) return [];
      const file = (file: string) => readFile(join(folder, name, file), "utf8").catch(() => "");
      const [list, memory] = await Promise.all([file("cpulist"), file("meminfo")]);
      const size = (key: string) => bytesOf(new RegExp(`${key}:\\s+(\\d{1,15}) kB`).exec(memory)?.[1], 1024);
      return [{ id, cpus: textOf(list) ?? "", totalBytes: size("MemTotal"), freeBytes: size("MemFree") }];
    }),
  );
  return nodes.flat().sort((a, b) => a.id - b.id);
}
