import type { GpuProcess } from "@corral/protocol";
import type { GpuReading, GpuSource, IsOurs } from "./gpu-reading.ts";
import {
  bytesOf,
  countOf,
  jsonOf,
  numberOf,
  numberWithin,
  objectOf,
  objectsOf,
  pciAddressOf,
  textOf,
} from "./tool-values.ts";

/** Runs xpu-smi. @throws ToolError */
export type AskIntel = (args: readonly string[]) => Promise<string>;

/**
 * The Intel GPUs as xpu-smi sees them: the list first, then the details of each at the same time.
 * @throws ToolError when the tool is missing or cannot reach the driver
 */
export async function readIntelGpus(ask: AskIntel, isOurs: IsOurs): Promise<GpuSource> {
  const notes: string[] = [];
  const part = async (args: string[]): Promise<Record<string, unknown>> => {
    try {
      return objectOf(jsonOf(await ask(args)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      notes.push(`xpu-smi ${args[0]} could not be read: ${error.message}.`);
      return {};
    }
  };
  const list = objectsOf(objectOf(jsonOf(await ask(["discovery", "-j"])))["device_list"]);
  const processes = part(["ps", "-j"]);
  const gpus = await Promise.all(
    list.map(async (device): Promise<GpuReading[]> => {
      const index = countOf(device["device_id"]);
      if (index === null || device["device_function_type"] === "virtual") return [];
      const [details, stats] = await Promise.all([
        part(["discovery", "-d", String(index), "-j"]),
        part(["stats", "-d", String(index), "-j"]),
      ]);
      return [
        {
          ...identityOf({ ...device, ...(objectsOf(details["device_list"])[0] ?? details) }, index),
          ...memoryAndLoadOf(stats, details),
          processes: await processesOf(await processes, index, isOurs),
        },
      ];
    }),
  );
  return { gpus: gpus.flat(), notes };
}

function identityOf(device: Record<string, unknown>, index: number) {
  const width = countOf(device["pcie_max_link_width"], 64);
  const generation = countOf(device["pcie_generation"], 16);
  const pcie = { generation: null, width: null, maxGeneration: generation, maxWidth: width };
  return {
    source: "xpu-smi",
    vendor: "Intel",
    backend: "vulkan" as const,
    index,
    uuid: textOf(device["uuid"]),
    busAddress: pciAddressOf(device["pci_bdf_address"]),
    name: textOf(device["device_name"]) ?? "Intel GPU",
    driver: textOf(device["driver_version"]),
    pcie: width === null && generation === null ? null : pcie,
  };
}

/** Memory and what changes from second to second. Used memory comes in MiB, sizes come in bytes, as text. */
export function memoryAndLoadOf(stats: Record<string, unknown>, details: Record<string, unknown> = {}) {
  const totalBytes = bytesOf(details["memory_physical_size_byte"]);
  const usedBytes = bytesOf(metricOf(stats, "XPUM_STATS_MEMORY_USED"), 2 ** 20);
  const left = totalBytes !== null && usedBytes !== null ? Math.max(0, totalBytes - usedBytes) : null;
  return {
    totalBytes,
    usedBytes,
    freeBytes: bytesOf(details["memory_free_size_byte"]) ?? left,
    utilizationPercent: numberWithin(metricOf(stats, "XPUM_STATS_GPU_UTILIZATION"), 0, 100),
    powerWatts: numberWithin(metricOf(stats, "XPUM_STATS_POWER"), 0, 10_000),
    temperatureCelsius: numberWithin(metricOf(stats, "XPUM_STATS_GPU_CORE_TEMPERATURE"), -50, 200),
  };
}

/** A figure of the whole device; where it is told per tile only, memory adds up and of the rest the highest counts. */
function metricOf(stats: Record<string, unknown>, type: string): number | null {
  const ofList = (list: unknown) =>
    numberOf(objectsOf(list).find((entry) => entry["metrics_type"] === type)?.["value"]);
  const whole = ofList(stats["device_level"]);
  if (whole !== null) return whole;
  const tiles = objectsOf(stats["tile_level"]).flatMap((tile) => ofList(tile["data_list"]) ?? []);
  if (tiles.length === 0) return null;
  return type === "XPUM_STATS_MEMORY_USED" ? tiles.reduce((sum, value) => sum + value, 0) : Math.max(...tiles);
}

/** xpu-smi lists itself; sizes come in units of 1000 bytes (dgm-core: memSize / 1000). */
async function processesOf(answer: Record<string, unknown>, index: number, isOurs: IsOurs): Promise<GpuProcess[]> {
  const processes: GpuProcess[] = [];
  for (const entry of objectsOf(answer["device_util_by_proc_list"])) {
    const pid = countOf(entry["process_id"], 2 ** 31);
    const name = textOf(entry["process_name"]) ?? "";
    if (pid === null || countOf(entry["device_id"]) !== index || name === "xpu-smi") continue;
    processes.push({ pid, name, usedBytes: bytesOf(entry["mem_size"], 1000), ours: await isOurs(pid) });
  }
  return processes;
}
