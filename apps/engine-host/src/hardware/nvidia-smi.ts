import type { GpuDevice, GpuProcess } from "@corral/protocol";
import type { GpuReading, GpuSource, IsOurs } from "./gpu-reading.ts";
import { parseNvlinkSpeeds, parseTopology, peersOf } from "./nvidia-topology.ts";
import { ToolError } from "./run-tool.ts";
import { bytesOf, countOf, numberWithin, pciAddressOf, recordsOf, textOf } from "./tool-values.ts";

const mebibyte = 2 ** 20;
const source = "nvidia-smi";

/** What nvidia-smi is asked about each GPU. The name comes last, as only a name could hold a comma. */
const fields = [
  "index",
  "uuid",
  "pci.bus_id",
  "driver_version",
  "compute_cap",
  "mig.mode.current",
  "memory.total",
  "memory.free",
  "memory.used",
  "pcie.link.gen.current",
  "pcie.link.gen.max",
  "pcie.link.width.current",
  "pcie.link.width.max",
  "temperature.gpu",
  "power.draw",
  "power.limit",
  "utilization.gpu",
  "name",
];
const processFields = "gpu_uuid,pid,used_gpu_memory,process_name";

/** Systems on a chip whose GPU has no memory of its own; nvidia-smi tells no size for them. */
const unifiedMemory = /\b(GB10|Thor|Orin|Xavier)\b/;

/** Runs nvidia-smi. @throws ToolError */
export type AskNvidia = (args: readonly string[]) => Promise<string>;

/**
 * The NVIDIA GPUs as the driver's own tool sees them. Its parts are asked at the same time; a part that fails costs what
 * only it knows, and a note.
 * @throws ToolError when the tool is missing, or cannot reach the driver
 */
export async function readNvidiaGpus(ask: AskNvidia, isOurs: IsOurs): Promise<GpuSource> {
  const notes: string[] = [];
  const part = (args: string[]) =>
    ask(args).catch((error: unknown) => {
      if (!(error instanceof ToolError)) throw error;
      return error;
    });
  const [list, overview, parts, topology, links, processes] = await Promise.all([
    queryGpus(ask).catch((error: unknown) => error),
    part([]),
    part(["-L"]),
    part(["topo", "-m"]),
    part(["nvlink", "-s"]),
    part([`--query-compute-apps=${processFields}`, "--format=csv,nounits"]),
  ]);
  if (!Array.isArray(list)) throw list;
  const gpus = list as GpuReading[];
  const text = (what: string, answer: string | ToolError, isNeeded: boolean): string => {
    if (typeof answer === "string") return answer;
    if (isNeeded && gpus.length > 0) notes.push(`nvidia-smi ${what} ${answer.message}.`);
    return "";
  };
  if (gpus.length === 0) notes.push("nvidia-smi lists no GPU.");

  const running = await processesOf(text("--query-compute-apps", processes, true), isOurs);
  const rows = parseTopology(text("topo -m", topology, gpus.length > 1));
  const speeds = parseNvlinkSpeeds(
    text(
      "nvlink -s",
      links,
      rows.some((row) => row.links.some((l) => l.links > 0)),
    ),
  );
  const uuids = new Map(gpus.map((gpu) => [gpu.index ?? -1, gpu.uuid ?? ""]));
  for (const gpu of gpus) {
    gpu.processes = running.get(gpu.uuid ?? "") ?? [];
    const row = rows.find(({ index }) => index === gpu.index);
    if (!row) continue;
    gpu.numaNode = row.numaNode;
    gpu.peers = peersOf(row, uuids, speeds.get(gpu.uuid ?? ""));
  }
  const head = text("", overview, true);
  const divided = gpus.some((gpu) => gpu.usable === false);
  const all = divided ? withParts(gpus, text("-L", parts, true), head, running) : gpus;
  const cuda = /CUDA (?:UMD )?Version\s*:\s*(\d{1,3}\.\d{1,3})/.exec(head)?.[1] ?? null;
  return { gpus: all, notes, runtimes: { cuda } };
}

/** Asks about each GPU; a field an older driver does not know is left out. */
async function queryGpus(ask: AskNvidia): Promise<GpuReading[]> {
  let asked = fields;
  for (;;) {
    try {
      return parseGpus(await ask([`--query-gpu=${asked.join(",")}`, "--format=csv,nounits"]));
    } catch (error) {
      const unknown = error instanceof ToolError && /Field "([\w.]+)" is not a valid field/.exec(error.message)?.[1];
      if (!unknown || !asked.includes(unknown)) throw error;
      asked = asked.filter((field) => field !== unknown);
    }
  }
}

/** One GPU per line of nvidia-smi's CSV, told apart by the names in its head; a line that makes no sense is left out. */
export function parseGpus(csv: string): GpuReading[] {
  return recordsOf(csv).flatMap((record): GpuReading[] => {
    const index = countOf(record["index"]);
    const uuid = textOf(record["uuid"]);
    const name = textOf(record["name"]);
    if (index === null || uuid === null || name === null) return [];
    const isDivided = record["mig.mode.current"] === "Enabled";
    return [
      {
        source,
        vendor: "NVIDIA",
        backend: "cuda",
        index,
        uuid,
        name,
        busAddress: pciAddressOf(record["pci.bus_id"]),
        driver: textOf(record["driver_version"]),
        computeCapability: textOf(record["compute_cap"]),
        ...memoryOf(record),
        unifiedMemory: unifiedMemory.test(name),
        pcie: pcieOf(record),
        temperatureCelsius: numberWithin(record["temperature.gpu"], -50, 200),
        powerWatts: numberWithin(record["power.draw"], 0, 10_000),
        powerLimitWatts: numberWithin(record["power.limit"], 0, 10_000),
        utilizationPercent: numberWithin(record["utilization.gpu"], 0, 100),
        usable: !isDivided,
        unusableReason: isDivided ? "It is divided into parts (MIG); models go on the parts." : null,
      },
    ];
  });
}

/** Memory comes in MiB. Part of the total belongs to the driver, so used and free are less than the total. */
function memoryOf(record: Record<string, string>) {
  return {
    totalBytes: bytesOf(record["memory.total"], mebibyte),
    freeBytes: bytesOf(record["memory.free"], mebibyte),
    usedBytes: bytesOf(record["memory.used"], mebibyte),
  };
}

function pcieOf(record: Record<string, string>): GpuDevice["pcie"] {
  const link = {
    generation: countOf(record["pcie.link.gen.current"], 16),
    width: countOf(record["pcie.link.width.current"], 64),
    maxGeneration: countOf(record["pcie.link.gen.max"], 16),
    maxWidth: countOf(record["pcie.link.width.max"], 64),
  };
  return Object.values(link).some((value) => value !== null) ? link : null;
}

/** Programs by the UUID of the GPU they have memory on. */
async function processesOf(csv: string, isOurs: IsOurs): Promise<Map<string, GpuProcess[]>> {
  const byGpu = new Map<string, GpuProcess[]>();
  for (const record of recordsOf(csv).slice(0, 256)) {
    const uuid = textOf(record["gpu_uuid"]);
    const pid = countOf(record["pid"], 2 ** 31);
    if (uuid === null || pid === null) continue;
    const process = {
      pid,
      name: textOf(record["process_name"]) ?? "",
      usedBytes: bytesOf(record["used_gpu_memory"], mebibyte),
      ours: await isOurs(pid),
    };
    byGpu.set(uuid, [...(byGpu.get(uuid) ?? []), process]);
  }
  return byGpu;
}

/** The GPUs, each followed by the parts it is divided into. */
function withParts(
  gpus: GpuReading[],
  list: string,
  overview: string,
  running: ReadonlyMap<string, GpuProcess[]>,
): GpuReading[] {
  const memory = partMemory(overview);
  const named = parseParts(list);
  return gpus.flatMap((gpu) => {
    const parts = named.filter((part) => part.parentUuid === gpu.uuid);
    if (gpu.usable === false && parts.length === 0) {
      gpu.unusableReason =
        "MIG is switched on but it has no parts: make some (nvidia-smi mig -cgi … -C), or switch MIG off.";
    }
    return [gpu, ...parts.map((part) => readingOfPart(gpu, part, memory.get(`${gpu.index}/${part.device}`), running))];
  });
}

function readingOfPart(
  gpu: GpuReading,
  { uuid, profile }: MigPart,
  memory: PartMemory | undefined,
  running: ReadonlyMap<string, GpuProcess[]>,
): GpuReading {
  return {
    source,
    vendor: gpu.vendor,
    backend: "cuda",
    index: gpu.index ?? 0,
    uuid,
    // The parts of a GPU share its address; only the whole one is told by it.
    busAddress: null,
    name: `${gpu.name} MIG ${profile}`,
    driver: gpu.driver ?? null,
    computeCapability: gpu.computeCapability ?? null,
    totalBytes: memory?.totalBytes ?? null,
    usedBytes: memory?.usedBytes ?? null,
    freeBytes: memory ? memory.totalBytes - memory.usedBytes : null,
    pcie: gpu.pcie ?? null,
    numaNode: gpu.numaNode ?? null,
    temperatureCelsius: gpu.temperatureCelsius ?? null,
    processes: running.get(uuid) ?? [],
    usable: true,
    partition: { parentId: gpu.uuid ?? "", profile },
  };
}

interface MigPart {
  parentUuid: string;
  device: number;
  uuid: string;
  profile: string;
}

/** The parts of divided GPUs in `nvidia-smi -L`. */
function parseParts(list: string): MigPart[] {
  const parts: MigPart[] = [];
  let parentUuid = "";
  for (const line of list.split(/\r?\n/).slice(0, 1000)) {
    parentUuid = /^GPU \d+:.*\(UUID: (GPU-[^)\s]{1,64})\)/.exec(line)?.[1] ?? parentUuid;
    const part = /^\s+MIG (\S{1,32})\s+Device\s+(\d{1,2}): \(UUID: (MIG-[^)\s]{1,80})\)/.exec(line);
    if (parentUuid && part) parts.push({ parentUuid, device: Number(part[2]), uuid: part[3]!, profile: part[1]! });
  }
  return parts;
}

interface PartMemory {
  totalBytes: number;
  usedBytes: number;
}

/** Memory of the parts by "GPU/part", from the table of MIG devices that plain `nvidia-smi` prints. */
export function partMemory(overview: string): Map<string, PartMemory> {
  const memory = new Map<string, PartMemory>();
  const row = /^\|\s*(\d{1,3})\s+\d+\s+\d+\s+(\d{1,2})\s*\|\s*(\d{1,9})MiB \/\s*(\d{1,9})MiB\s*\|/gm;
  for (const [, gpu, part, used, total] of overview.matchAll(row)) {
    const totalBytes = bytesOf(total, mebibyte);
    const usedBytes = bytesOf(used, mebibyte);
    if (totalBytes === null || usedBytes === null || usedBytes > totalBytes) continue;
    memory.set(`${gpu}/${part}`, { totalBytes, usedBytes });
  }
  return memory;
}
