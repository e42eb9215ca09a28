import { readAmdGpus } from "./amd-smi.ts";
import { readAppleGpu } from "./apple-gpu.ts";
import type { GpuReading, GpuSource, IsOurs } from "./gpu-reading.ts";
import { readNvidiaGpus } from "./nvidia-smi.ts";
import { readPciGpus } from "./pci-gpus.ts";
import { plain } from "./reconcile.ts";
import { parseRocmSmi, rocmSmiArguments } from "./rocm-smi.ts";
import { ToolError } from "./run-tool.ts";
import { adapterArguments, parseAdapters } from "./windows-adapters.ts";
import { readIntelGpus } from "./xpu-smi.ts";

/** A GPU as Vulkan lists it. */
export interface VulkanDevice {
  name: string;
}

/** The machine the sources look at. */
export interface Machine {
  platform: NodeJS.Platform;
  architecture: string;
  /** Where sysfs is mounted. */
  sysRoot: string;
  /** Runs a program. @throws ToolError */
  run(program: string, args: readonly string[]): Promise<string>;
  isOurs: IsOurs;
  /** The graphics cards as systeminformation describes them, for machines without a source of their own. */
  graphics(): Promise<GpuReading[]>;
  /** The GPUs Vulkan lists, from whoever has an engine; null: not asked, or no answer. */
  vulkan: Promise<VulkanDevice[] | null>;
}

/** Readings of all sources, the most trustworthy first, and what could not be read. */
export interface GpuReadings extends Required<GpuSource> {
  runtimes: { cuda: string | null; rocm: string | null };
}

/** Asks every source at the same time. A tool that is not installed is no fault: it says nothing. */
export async function readGpuSources(machine: Machine): Promise<GpuReadings> {
  const { platform, architecture, sysRoot, run, isOurs } = machine;
  const isApple = platform === "darwin" && architecture === "arm64";
  const notes: string[] = [];
  const reasons = new Map<string, string>();
  const ask = (program: string) => (args: readonly string[]) => run(program, args);
  const source = async (program: string, vendor: string, read: () => Promise<GpuSource>): Promise<GpuSource> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof ToolError && error.failure === "stopped") throw error;
      const isMissing = error instanceof ToolError && error.failure === "missing";
      if (!isMissing) notes.push(complaint(program, error));
      if (!isMissing) reasons.set(vendor, `Its driver does not answer: ${program} ${reasonOf(error)}.`);
      return { gpus: [], notes: [] };
    }
  };
  const nothing: Promise<GpuSource> = Promise.resolve({ gpus: [], notes: [] });
  const linux = platform === "linux";
  const isOther = !isApple && !linux && platform !== "win32";
  const sources = await Promise.all([
    platform === "darwin" ? nothing : source("nvidia-smi", "NVIDIA", () => readNvidiaGpus(ask("nvidia-smi"), isOurs)),
    linux ? source("amd-smi", "AMD", () => readAmdGpus(ask("amd-smi"), isOurs)) : nothing,
    linux ? source("rocm-smi", "AMD", async () => parseRocmSmi(await run("rocm-smi", rocmSmiArguments))) : nothing,
    platform === "darwin" ? nothing : source("xpu-smi", "Intel", () => readIntelGpus(ask("xpu-smi"), isOurs)),
    isApple ? source("sysctl", "Apple", () => readAppleGpu(run)) : nothing,
    linux ? readPci(sysRoot, run) : nothing,
    platform === "win32"
      ? source("powershell", "Windows", async () => {
          return { gpus: parseAdapters(await run("powershell.exe", adapterArguments)), notes: [] };
        })
      : nothing,
    isOther ? source("systeminformation", "any", async () => ({ gpus: await machine.graphics(), notes: [] })) : nothing,
  ]);
  const gpus = sources.flatMap((found) => found.gpus);
  notes.push(...sources.flatMap((found) => found.notes));
  explainUnreachable(gpus, reasons);
  compareWithVulkan(gpus, await machine.vulkan);
  return {
    gpus,
    notes,
    runtimes: {
      cuda: sources.find(({ runtimes }) => runtimes?.cuda)?.runtimes?.cuda ?? null,
      rocm: sources.find(({ runtimes }) => runtimes?.rocm)?.runtimes?.rocm ?? null,
    },
  };
}

async function readPci(sysRoot: string, run: Machine["run"]): Promise<GpuSource> {
  const names = await run("lspci", ["-Dmm"]).catch((error: unknown) => {
    // Names are all it adds; cards without one are told by their vendor.
    if (error instanceof ToolError && error.failure !== "stopped") return "";
    throw error;
  });
  return { gpus: await readPciGpus(sysRoot, names), notes: [] };
}

function reasonOf(error: Error): string {
  return error instanceof ToolError && error.failure !== "failed" ? error.message : `says “${error.message}”`;
}

function complaint(program: string, error: Error): string {
  const isLate = error instanceof ToolError && error.failure === "late";
  if (!isLate) return `${program} could not be read: ${error.message}.`;
  const advice = program === "nvidia-smi" ? " If that stays so, switch on persistence mode (nvidia-smi -pm 1)." : "";
  return `${program} ${error.message}.${advice}`;
}

const drivers: Record<string, { tool: string; advice: string }> = {
  NVIDIA: { tool: "nvidia-smi", advice: "No NVIDIA driver is installed for it; install one." },
  AMD: { tool: "amd-smi", advice: "No driver tells its memory; install AMD's driver (amdgpu)." },
  Intel: { tool: "xpu-smi", advice: "No tool tells its memory; install xpu-smi." },
};

/**
 * A card the bus lists, but no driver tells the memory of, cannot be planned with; the reason stands on the card. A tool
 * that lists other cards, but not this one, runs in a container that was not given it, or the card has failed.
 */
function explainUnreachable(gpus: readonly GpuReading[], reasons: ReadonlyMap<string, string>): void {
  for (const gpu of gpus) {
    if (gpu.source !== "pci" && gpu.source !== "windows") continue;
    const isTold = gpus.some((other) => {
      if (other === gpu || other.vendor !== gpu.vendor || other.totalBytes == null) return false;
      return gpu.busAddress === null ? plain(other.name) === plain(gpu.name) : other.busAddress === gpu.busAddress;
    });
    if (isTold || gpu.totalBytes != null) {
      if (gpu.vendor !== "NVIDIA") gpu.backend = "vulkan";
      continue;
    }
    const driver = drivers[gpu.vendor];
    const isListing = gpus.some(({ source }) => source === driver?.tool);
    const unlisted = isListing
      ? `${driver?.tool} does not list it: this container was not given it, or it has failed.`
      : null;
    gpu.usable = false;
    gpu.unusableReason = reasons.get(gpu.vendor) ?? unlisted ?? driver?.advice ?? "Its memory is not known.";
  }
}

/**
 * The embedded engine reaches AMD's and Intel's cards through Vulkan: a card Vulkan does not list is out of its reach, and
 * one that only Vulkan lists is worth knowing.
 */
function compareWithVulkan(gpus: GpuReading[], listed: VulkanDevice[] | null): void {
  if (!listed) return;
  const unmatched = listed.map(({ name }) => name);
  const take = (name: string | undefined) => {
    const at = unmatched.findIndex((other) => plain(other) === plain(name));
    if (at >= 0) unmatched.splice(at, 1);
    return at >= 0;
  };
  const seen = new Set<string>();
  for (const gpu of gpus) {
    // Several sources tell of the same card; it takes one name off the list.
    const key = gpu.busAddress ?? gpu.uuid ?? gpu.name ?? "";
    if (gpu.partition || seen.has(key)) continue;
    seen.add(key);
    const isListed = take(gpu.name);
    if (gpu.backend !== "vulkan" || isListed) continue;
    gpu.usable = false;
    gpu.unusableReason = "Vulkan does not list it, so the embedded engine cannot use it; install its Vulkan driver.";
  }
  for (const name of unmatched) {
    gpus.push({ source: "vulkan", vendor: "unknown", backend: "vulkan", uuid: null, busAddress: null, name });
  }
}
