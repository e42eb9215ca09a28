import type { GpuDevice, GpuPeer, GpuProcess } from "@corral/protocol";
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

const source = "amd-smi";
/** amd-smi says MB where it means MiB: an MI300X has "196592 MB". */
const units: Record<string, number> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** Runs amd-smi. @throws ToolError */
export type AskAmd = (args: readonly string[]) => Promise<string>;

/**
 * The AMD GPUs as amd-smi (ROCm 6 and later) sees them.
 * @throws ToolError when the tool is missing or cannot reach the driver
 */
export async function readAmdGpus(ask: AskAmd, isOurs: IsOurs): Promise<GpuSource> {
  const notes: string[] = [];
  const part = async (what: string): Promise<Record<string, unknown>[]> => {
    try {
      return listOf(jsonOf(await ask([what, "--json"])));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      notes.push(`amd-smi ${what} could not be read: ${error.message}.`);
      return [];
    }
  };
  const [cards, metrics, topology, processes, version] = await Promise.all([
    ask(["static", "--json"]).then((output) => listOf(jsonOf(output))),
    part("metric"),
    part("topology"),
    part("process"),
    part("version"),
  ]);
  const gpus: GpuReading[] = [];
  for (const card of cards) {
    const index = countOf(card["gpu"]);
    if (index === null) continue;
    const ofCard = (list: Record<string, unknown>[]) => list.find((entry) => countOf(entry["gpu"]) === index) ?? {};
    gpus.push({
      ...identityOf(card, index),
      ...memoryAndLoadOf(ofCard(metrics), quantityOf(objectOf(card["vram"])["size"])),
      pcie: pcieOf(card, ofCard(metrics)),
      peers: peersOf(ofCard(topology), index),
      processes: await processesOf(ofCard(processes), isOurs),
    });
  }
  return { gpus, notes, runtimes: { rocm: textOf(version[0]?.["rocm_version"]) } };
}

/** Up to ROCm 6.3 the answer is a list, later an object that holds it. */
function listOf(answer: unknown): Record<string, unknown>[] {
  return objectsOf(Array.isArray(answer) ? answer : objectOf(answer)["gpu_data"]);
}

function identityOf(card: Record<string, unknown>, index: number) {
  const asic = objectOf(card["asic"]);
  const driver = objectOf(card["driver"]);
  const limit = objectOf(card["limit"]);
  return {
    source,
    vendor: "AMD",
    backend: "vulkan" as const,
    index,
    uuid: textOf(card["uuid"]),
    busAddress: pciAddressOf(objectOf(card["bus"])["bdf"]),
    name: textOf(asic["market_name"]) ?? "AMD GPU",
    computeCapability: textOf(asic["target_graphics_version"]),
    driver: textOf(driver["version"]) ?? textOf(driver["driver_version"]),
    numaNode: countOf(objectOf(card["numa"])["node"]),
    powerLimitWatts: numberWithin(valueOf(limit["socket_power"]) ?? valueOf(limit["max_power"]), 0, 10_000),
  };
}

/** Memory and what changes from second to second, from an entry of `amd-smi metric`. @param size of the memory, bytes */
export function memoryAndLoadOf(metric: Record<string, unknown>, size: number | null = null) {
  const memory = objectOf(metric["mem_usage"]);
  const power = objectOf(metric["power"]);
  const temperature = objectOf(metric["temperature"]);
  const totalBytes = quantityOf(memory["total_vram"]) ?? size;
  const usedBytes = quantityOf(memory["used_vram"]);
  const left = totalBytes !== null && usedBytes !== null ? Math.max(0, totalBytes - usedBytes) : null;
  return {
    totalBytes,
    usedBytes,
    freeBytes: quantityOf(memory["free_vram"]) ?? left,
    utilizationPercent: numberWithin(valueOf(objectOf(metric["usage"])["gfx_activity"]), 0, 100),
    powerWatts: numberWithin(
      valueOf(power["socket_power"]) ??
        valueOf(power["average_socket_power"]) ??
        valueOf(power["current_socket_power"]),
      0,
      10_000,
    ),
    temperatureCelsius: numberWithin(valueOf(temperature["hotspot"]) ?? valueOf(temperature["edge"]), -50, 200),
  };
}

/** Entries of `amd-smi metric --json` by the number of the GPU. */
export function parseMetrics(output: string): Map<number, Record<string, unknown>> {
  return new Map(listOf(jsonOf(output)).map((entry) => [countOf(entry["gpu"]) ?? -1, entry]));
}

/** A value with its unit, {"value": 41, "unit": "W"}, or bare; null for "N/A". */
function valueOf(value: unknown): number | null {
  return numberOf(objectOf(value)["value"] ?? value);
}

/** Bytes of a value with its unit; a bare number is in MB. */
function quantityOf(value: unknown): number | null {
  const unit = objectOf(value)["unit"];
  return bytesOf(valueOf(value), units[typeof unit === "string" ? unit : "MB"] ?? 2 ** 20);
}

function pcieOf(card: Record<string, unknown>, metric: Record<string, unknown>): GpuDevice["pcie"] {
  const bus = objectOf(card["bus"]);
  const now = objectOf(metric["pcie"]);
  const generation = (value: unknown) => {
    const speed = valueOf(value);
    const at = speed === null ? -1 : [2.5, 5, 8, 16, 32, 64].indexOf(speed);
    return at < 0 ? null : at + 1;
  };
  const link = {
    generation: generation(now["speed"]),
    width: countOf(valueOf(now["width"]), 64),
    maxGeneration: countOf(/^Gen (\d)$/.exec(String(bus["pcie_interface_version"]))?.[1], 16),
    maxWidth: countOf(valueOf(bus["max_pcie_width"]), 64),
  };
  return Object.values(link).some((value) => value !== null) ? link : null;
}

/** The bandwidth comes as "least-most" in MB/s. */
function peersOf(entry: Record<string, unknown>, own: number): GpuPeer[] {
  return objectsOf(entry["links"]).flatMap((link): GpuPeer[] => {
    const id = pciAddressOf(link["bdf"]);
    if (id === null || countOf(link["gpu"]) === own || link["link_type"] === "SELF") return [];
    if (link["link_status"] === "DISABLED") return [];
    const isDirect = link["link_type"] === "XGMI";
    const most = numberOf(/-(\d{1,9})$/.exec(String(link["bandwidth"]))?.[1]);
    return [
      {
        id,
        link: isDirect ? "xgmi" : "pcie",
        links: isDirect ? 1 : 0,
        bytesPerSecond: most !== null && most > 0 ? most * 1e6 : null,
      },
    ];
  });
}

async function processesOf(entry: Record<string, unknown>, isOurs: IsOurs): Promise<GpuProcess[]> {
  const processes: GpuProcess[] = [];
  for (const item of objectsOf(entry["process_list"])) {
    const info = objectOf(item["process_info"]);
    const pid = countOf(info["pid"], 2 ** 31);
    if (pid === null) continue;
    const memory = objectOf(info["memory_usage"])["vram_mem"] ?? info["vram_mem"] ?? info["mem_usage"];
    processes.push({ pid, name: textOf(info["name"]) ?? "", usedBytes: quantityOf(memory), ours: await isOurs(pid) });
  }
  return processes;
}
