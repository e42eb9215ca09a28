import type { GpuDevice, HardwareSnapshot } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { bytes, count, table } from "./output.ts";

export const hardware = defineCommand({
  name: "hardware",
  summary: "show what this machine has: GPUs, memory, disk",
  help: `
Usage: corral hardware [--json]

Shows the GPUs, processor, memory and free disk of this machine as Corral sees them right now: how much of each GPU's
memory is free, what other programs use, how the GPUs are connected, and what could not be read.

--json prints the whole snapshot; corral plan takes it with --hardware FILE.json.`,
  options: {},
  async run({ positionals, connect, output, signal }) {
    if (positionals.length > 0) throw new UsageError("corral hardware takes no arguments.");
    await using session = await connect();
    const snapshot = await session.client.hardware.snapshot(undefined, { signal });
    output.result(snapshot, () => describeHardware(snapshot));
  },
});

/** The machine as text: its parts, a table of its GPUs, and notes. */
export function describeHardware(snapshot: HardwareSnapshot): string {
  const { os, cpu, memory, numaNodes, gpus, runtimes, disk, notes } = snapshot;
  const cores = `${count(cpu.physicalCores, "core")}, ${count(cpu.logicalCores, "thread")}`;
  const rows = [
    ["System", `${os.distribution} (${os.architecture})`],
    ["Processor", `${cpu.name}, ${cores}`],
    ["Memory", `${bytes(memory.availableBytes)} free of ${bytes(memory.totalBytes)}`],
    ["Disk", disk.freeBytes === null ? "unknown" : `${bytes(disk.freeBytes)} free at ${disk.path}`],
  ];
  if (cpu.instructionSets.length > 0) rows.splice(2, 0, ["", cpu.instructionSets.join(" ")]);
  if (numaNodes.length > 1) {
    rows.push(["NUMA", numaNodes.map(({ id, cpus }) => `node ${id}: cores ${cpus}`).join("; ")]);
  }
  const versions = [runtimes.cuda && `CUDA ${runtimes.cuda}`, runtimes.rocm && `ROCm ${runtimes.rocm}`].filter(Boolean);
  if (versions.length > 0) rows.push(["Runtime", versions.join(", ")]);
  if (gpus.length === 0) rows.push(["GPU", "none found; models run on the processor"]);

  const parts = [table(rows)];
  if (gpus.length > 0) parts.push(gpuTable(gpus));
  const remarks = [
    ...gpus.flatMap((gpu) =>
      gpu.usable ? [] : [`${labelOf(gpu)} is not used: ${gpu.unusableReason ?? "not usable"}`],
    ),
    ...notes.map((note) => `Note: ${note}`),
  ];
  if (remarks.length > 0) parts.push(remarks.join("\n"));
  return parts.join("\n\n");
}

function gpuTable(gpus: readonly GpuDevice[]): string {
  const size = (value: number | null) => (value === null ? "unknown" : bytes(value));
  const head = ["GPU", "Device", "Memory", "Free", "Others use", "PCIe", "Linked with", "NUMA", "Load", "Driver"];
  const body = gpus.map((gpu) => [
    labelOf(gpu).replace("GPU ", ""),
    gpu.name,
    size(gpu.totalBytes),
    size(gpu.freeBytes),
    size(gpu.usedByOthersBytes),
    pcieOf(gpu),
    peersOf(gpu, gpus),
    gpu.numaNode === null ? "" : String(gpu.numaNode),
    loadOf(gpu),
    [gpu.driver, `(${gpu.source})`].filter(Boolean).join(" "),
  ]);
  // Columns nobody has anything in only make the table wide.
  const isUsed = head.map((_, column) => body.some((row) => row[column] !== ""));
  return table([head, ...body].map((row) => row.filter((_, column) => isUsed[column])));
}

/** "GPU 0"; a part of a divided GPU is "GPU 0 3g.40gb". */
function labelOf(gpu: GpuDevice): string {
  return `GPU ${gpu.index}${gpu.partition ? ` ${gpu.partition.profile}` : ""}`;
}

/** "Gen 4 x16"; narrower than the card can: "Gen 4 x4 of x16". Cards at rest lower the generation, so the best is shown. */
function pcieOf({ pcie }: GpuDevice): string {
  if (!pcie) return "";
  const generation = pcie.maxGeneration ?? pcie.generation;
  const width = pcie.width ?? pcie.maxWidth;
  const isNarrow = pcie.width !== null && pcie.maxWidth !== null && pcie.width < pcie.maxWidth;
  const lanes = width === null ? "" : `x${width}${isNarrow ? ` of x${pcie.maxWidth}` : ""}`;
  return [generation === null ? "" : `Gen ${generation}`, lanes].filter(Boolean).join(" ");
}

/** The other GPUs by kind of link, best first: "NVLink: 1 2 3 (100 GB/s); SYS: 4". */
function peersOf(gpu: GpuDevice, gpus: readonly GpuDevice[]): string {
  const byLink = new Map<string, { numbers: number[]; speed: string }>();
  for (const { id, link, bytesPerSecond } of gpu.peers) {
    const name =
      link === "nvlink" ? "NVLink" : link === "xgmi" ? "xGMI" : link === "pcie" ? "PCIe" : link.toUpperCase();
    const entry = byLink.get(name) ?? { numbers: [], speed: "" };
    const number = gpus.find((other) => other.id === id)?.index;
    if (number !== undefined) entry.numbers.push(number);
    if (bytesPerSecond !== null) entry.speed = ` (${Math.round(bytesPerSecond / 1e9)} GB/s)`;
    byLink.set(name, entry);
  }
  return [...byLink].map(([name, { numbers, speed }]) => `${name}: ${numbers.join(" ")}${speed}`).join("; ");
}

/** "41 °C, 23 of 450 W, 3 %". */
function loadOf(gpu: GpuDevice): string {
  const { temperatureCelsius, powerWatts, powerLimitWatts, utilizationPercent } = gpu;
  const limit = powerLimitWatts === null ? "" : ` of ${Math.round(powerLimitWatts)}`;
  return [
    temperatureCelsius === null ? "" : `${Math.round(temperatureCelsius)} °C`,
    powerWatts === null ? "" : `${Math.round(powerWatts)}${limit} W`,
    utilizationPercent === null ? "" : `${Math.round(utilizationPercent)} %`,
  ]
    .filter(Boolean)
    .join(", ");
}
