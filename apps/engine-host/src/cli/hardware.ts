import type { HardwareSnapshot } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { bytes, table } from "./output.ts";

export const hardware = defineCommand({
  name: "hardware",
  summary: "show what this machine has: GPUs, memory, disk",
  help: `
Usage: corral hardware [--json]

Shows the GPUs, processor, memory and free disk of this machine as Corral sees them right now.`,
  options: {},
  async run({ positionals, connect, output, signal }) {
    if (positionals.length > 0) throw new UsageError("corral hardware takes no arguments.");
    await using session = await connect();
    const snapshot = await session.client.hardware.snapshot(undefined, { signal });
    output.result(snapshot, () => describeHardware(snapshot));
  },
});

/** The machine as a few lines of text. */
export function describeHardware(snapshot: HardwareSnapshot): string {
  const { os, cpu, memory, gpus, disk, notes } = snapshot;
  const rows = [
    ["System", `${os.distribution} (${os.architecture})`],
    ["Processor", `${cpu.name}, ${cpu.physicalCores} cores, ${cpu.logicalCores} threads`],
    ["Memory", `${bytes(memory.availableBytes)} free of ${bytes(memory.totalBytes)}`],
    ["Disk", disk.freeBytes === null ? "unknown" : `${bytes(disk.freeBytes)} free at ${disk.path}`],
  ];
  if (gpus.length === 0) rows.push(["GPU", "none found; models run on the processor"]);
  for (const gpu of gpus) {
    const total = gpu.totalBytes === null ? "unknown memory" : bytes(gpu.totalBytes);
    const free = gpu.freeBytes === null ? "" : `, ${bytes(gpu.freeBytes)} free`;
    rows.push([`GPU ${gpu.index}`, `${gpu.name}, ${total}${free}`]);
  }
  return [table(rows), ...notes.map((note) => `Note: ${note}`)].join("\n");
}
