import type { PlanHardware } from "@corral/protocol";
import { devicePerformance } from "./device-performance.ts";
import { defaultReserveBytes } from "./memory-model.ts";

type Gpu = PlanHardware["gpus"][number];

/** A GPU models can be put on, whose free memory is known. */
export type UsableGpu = Gpu & { freeBytes: number };

/** Hardware as the planner sees it. */
export interface Machine {
  hardware: PlanHardware;
  /** Sets of GPUs one engine could be shown, in the order llama.cpp deals layers to them; the preferred set first. */
  gpuSets: UsableGpu[][];
  /** Per vendor all its GPUs, then all but the smallest, and so on. For models of which only a part fits. */
  largestSets: UsableGpu[][];
  gpuReserveBytes: number;
  cpuReserveBytes: number;
  /** Bytes to add to the runtime overhead of a device, by its id: what earlier loads took beyond their plan. */
  corrections: ReadonlyMap<string, number>;
}

/** More than this many sets would cost time and find nothing better. */
const mostCards = 32;

export function machineOf(
  hardware: PlanHardware,
  reserveBytes: number | undefined,
  corrections: ReadonlyMap<string, number> = new Map(),
): Machine {
  const reserve = reserveBytes ?? defaultReserveBytes;
  const machine = {
    hardware,
    gpuReserveBytes: reserve,
    // A small machine could not spare that much.
    cpuReserveBytes: reserveBytes ?? Math.min(reserve, Math.floor(hardware.memory.totalBytes / 8)),
    corrections,
  };
  const byVendor = new Map<string, UsableGpu[]>();
  for (const gpu of hardware.gpus.filter(isUsable)) {
    byVendor.set(gpu.vendor, [...(byVendor.get(gpu.vendor) ?? []), withinMemory(gpu, hardware)]);
  }
  const gpuSets: UsableGpu[][] = [];
  const largestSets: UsableGpu[][] = [];
  for (const all of byVendor.values()) {
    const cards = all.toSorted((a, b) => b.freeBytes - a.freeBytes || a.index - b.index).slice(0, mostCards);
    gpuSets.push(...setsOf(cards));
    for (let length = cards.length; length > 0; length--) largestSets.push(dealingOrder(cards.slice(0, length)));
  }
  gpuSets.sort((a, b) => a.length - b.length || speedOf(b) - speedOf(a) || freeOf(b) - freeOf(a));
  return { ...machine, gpuSets, largestSets };
}

export function isUsable(gpu: Gpu): gpu is UsableGpu {
  return gpu.usable && gpu.freeBytes !== null && Number.isFinite(gpu.freeBytes) && gpu.freeBytes > 0;
}

/** What the worker and its buffers in main memory take at most, bytes. */
const hostBytes = 2 ** 30;

/** A GPU that works in main memory can use no more than is free there. */
function withinMemory(gpu: UsableGpu, { memory }: PlanHardware): UsableGpu {
  if (!gpu.unifiedMemory) return gpu;
  return { ...gpu, freeBytes: Math.max(0, Math.min(gpu.freeBytes, memory.availableBytes - hostBytes)) };
}

/**
 * Neighbours in the order of free memory: a mix of a large and a small card is never better than the cards between them.
 * Of sets that differ only in which of several equal cards they hold, the first stays.
 */
function setsOf(cards: readonly UsableGpu[]): UsableGpu[][] {
  const sets = new Map<string, UsableGpu[]>();
  for (let length = 1; length <= cards.length; length++) {
    for (let first = 0; first + length <= cards.length; first++) {
      const set = dealingOrder(cards.slice(first, first + length));
      const key = set.map(({ name, freeBytes }) => `${name} ${freeBytes}`).join("|");
      if (!sets.has(key)) sets.set(key, set);
    }
  }
  return [...sets.values()];
}

/** The largest last: the last card also computes the logits. */
function dealingOrder(cards: readonly UsableGpu[]): UsableGpu[] {
  return cards.toSorted((a, b) => a.freeBytes - b.freeBytes || a.index - b.index);
}

function freeOf(set: readonly UsableGpu[]): number {
  return set.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
}

/** Layers run one after the other, so the set is as fast as its cards are on average. */
function speedOf(set: readonly UsableGpu[]): number {
  return (
    set.reduce((sum, { name, vendor }) => sum + devicePerformance(name, vendor).bytesPerSecond.high, 0) / set.length
  );
}
