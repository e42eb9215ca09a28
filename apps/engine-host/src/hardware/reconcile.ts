import type { GpuDevice, HardwareSnapshot } from "@corral/protocol";
import type { GpuReading } from "./gpu-reading.ts";

/** Sizes that differ by more than this share are a disagreement; less is a matter of rounding and of reserved parts. */
const tolerance = 0.02;

/** A part of the readings of one device; the first one leads. */
type Group = [GpuReading, ...GpuReading[]];

/**
 * One device from everything the sources tell of it. Readings with the same UUID or PCI address are of one device; one
 * without either is of the first device with its name that its own source has not told of yet. What a source leaves out
 * the next one fills in; where they disagree, the earlier one is right and a note says so.
 * @param readings the most trustworthy source first
 */
export function reconcile(
  readings: readonly GpuReading[],
  memory: HardwareSnapshot["memory"],
): { gpus: GpuDevice[]; notes: string[] } {
  const groups: Group[] = [];
  for (const reading of readings) {
    const group = groups.find((candidate) => isSameDevice(candidate, reading));
    if (group) group.push(reading);
    else groups.push([reading]);
  }
  const notes = groups.flatMap(disagreements);
  const ids = groups.map(([first], at) => first.uuid ?? busAddressOf(groups[at]!) ?? `${first.vendor}-${at}`);
  // Peers are told by UUID or by address; devices are known by their id.
  const known = new Map(groups.flatMap((group, at) => namesOf(group).map((name) => [name, ids[at]!] as const)));
  const gpus = groups.map((group, at) => {
    const peers = valueIn(group, "peers") ?? [];
    return withUse({
      ...merged(group, ids[at]!, at),
      peers: peers.flatMap((peer) => (known.has(peer.id) ? [{ ...peer, id: known.get(peer.id)! }] : [])),
    });
  });
  return { gpus: gpus.map((gpu) => withUnifiedMemory(gpu, memory)), notes };
}

function isSameDevice(group: Group, reading: GpuReading): boolean {
  if (reading.uuid !== null && group.some(({ uuid }) => uuid === reading.uuid)) return true;
  if (reading.partition || group[0].partition) return false;
  const address = busAddressOf(group);
  if (reading.busAddress !== null && address !== null) return reading.busAddress === address;
  if (reading.uuid !== null && group.some(({ uuid }) => uuid !== null)) return false;
  const isTold = group.some(({ source }) => source === reading.source);
  return !isTold && group[0].vendor === reading.vendor && plain(group[0].name) === plain(reading.name);
}

/** "NVIDIA GeForce RTX 4090", "GeForce RTX 4090" and "Intel(R) Arc(TM) A770 Graphics" without what makers add. */
export function plain(name: string | undefined): string {
  return (name ?? "")
    .toLowerCase()
    .replace(/\([^)]*\)|\b(nvidia|amd|intel|corporation|graphics)\b/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

function busAddressOf(group: Group): string | null {
  return valueIn(group, "busAddress");
}

function namesOf(group: Group): string[] {
  return [...group.map(({ uuid }) => uuid), busAddressOf(group)].filter((name) => name !== null);
}

/** What the first source that knows it tells. */
function valueIn<Key extends keyof GpuReading>(group: Group, key: Key): Exclude<GpuReading[Key], undefined> | null {
  for (const reading of group) if (reading[key] != null) return reading[key] as Exclude<GpuReading[Key], undefined>;
  return null;
}

function merged(group: Group, id: string, at: number): Omit<GpuDevice, "peers"> {
  const value = <Key extends keyof GpuReading>(key: Key) => valueIn(group, key);
  return {
    id,
    index: value("index") ?? at,
    name: value("name") ?? "Graphics card",
    vendor: group[0].vendor,
    totalBytes: value("totalBytes"),
    freeBytes: value("freeBytes"),
    driver: value("driver"),
    source: group[0].source,
    sources: [...new Set(group.map(({ source }) => source))],
    backend: value("backend"),
    usable: value("usable") ?? true,
    unusableReason: value("unusableReason"),
    usedBytes: value("usedBytes"),
    usedByOthersBytes: null,
    processes: value("processes") ?? [],
    unifiedMemory: value("unifiedMemory") ?? false,
    busAddress: value("busAddress"),
    computeCapability: value("computeCapability"),
    pcie: pcieOf(group),
    numaNode: value("numaNode"),
    temperatureCelsius: value("temperatureCelsius"),
    powerWatts: value("powerWatts"),
    powerLimitWatts: value("powerLimitWatts"),
    utilizationPercent: value("utilizationPercent"),
    partition: value("partition"),
  };
}

/** The PCIe link is told in parts: one source knows what it is now, another what it can be. */
function pcieOf(group: Group): GpuDevice["pcie"] {
  const links = group.flatMap(({ pcie }) => pcie ?? []);
  const [first] = links;
  if (!first) return null;
  const part = (key: keyof typeof first) => links.find((link) => link[key] !== null)?.[key] ?? null;
  return {
    generation: part("generation"),
    width: part("width"),
    maxGeneration: part("maxGeneration"),
    maxWidth: part("maxWidth"),
  };
}

/** What others use is what is used, less what Corral's own programs have; unknown where a share of those is. */
function withUse(gpu: GpuDevice): GpuDevice {
  let others = gpu.usedBytes;
  for (const process of gpu.processes) {
    if (!process.ours || others === null) continue;
    others = process.usedBytes === null ? null : Math.max(0, others - process.usedBytes);
  }
  return { ...gpu, usedByOthersBytes: others };
}

/** A GPU without memory of its own gets what the main memory has free, up to its own limit. */
function withUnifiedMemory(gpu: GpuDevice, memory: HardwareSnapshot["memory"]): GpuDevice {
  if (!gpu.unifiedMemory) return gpu;
  const totalBytes = Math.min(gpu.totalBytes ?? memory.totalBytes, memory.totalBytes);
  const left = gpu.freeBytes ?? totalBytes - (gpu.usedBytes ?? 0);
  return { ...gpu, totalBytes, freeBytes: Math.max(0, Math.min(left, memory.availableBytes)) };
}

function disagreements(group: Group): string[] {
  const notes: string[] = [];
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const [size, ...otherSizes] = group.flatMap(({ source, totalBytes }) =>
    totalBytes == null ? [] : [{ source, totalBytes }],
  );
  for (const other of otherSizes) {
    if (!size || Math.abs(other.totalBytes - size.totalBytes) <= tolerance * size.totalBytes) continue;
    notes.push(
      `${group[0].name}: ${size.source} tells of ${gibibytes(size.totalBytes)} memory, ${other.source} of ` +
        `${gibibytes(other.totalBytes)}; the figure of ${size.source} is used.`,
    );
  }
  const [node, ...otherNodes] = group.flatMap(({ source, numaNode }) =>
    numaNode == null ? [] : [{ source, numaNode }],
  );
  for (const other of otherNodes) {
    if (!node || other.numaNode === node.numaNode) continue;
    notes.push(
      `${group[0].name}: ${node.source} puts it on NUMA node ${node.numaNode}, ${other.source} on ` +
        `${other.numaNode}; the figure of ${node.source} is used.`,
    );
  }
  return notes;
}
