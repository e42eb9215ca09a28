import { hardwareSnapshot, type HardwareSnapshot } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { MemoryLedger } from "./memory-ledger.ts";

const gib = 2 ** 30;
const never = new AbortController().signal;

function machine(freeBytes: number, availableBytes = 32 * gib, unifiedMemory = false): HardwareSnapshot {
  return hardwareSnapshot.parse({
    takenAt: "2026-01-01T00:00:00Z",
    os: { platform: "linux", distribution: "Test", architecture: "x64" },
    cpu: { name: "Test CPU", physicalCores: 4, logicalCores: 8 },
    memory: { totalBytes: 64 * gib, availableBytes },
    gpus: [
      {
        id: "GPU-0",
        index: 0,
        name: "Test GPU",
        vendor: "NVIDIA",
        totalBytes: 24 * gib,
        freeBytes,
        driver: null,
        source: "test",
        unifiedMemory,
      },
    ],
    disk: { path: "/", freeBytes: null },
    notes: [],
  });
}

/** A machine that says what it is told to say. */
function ledgerOn(first: HardwareSnapshot) {
  const state = { now: first, reads: 0 };
  const snapshot = async () => {
    state.reads++;
    const seen = state.now;
    await new Promise((resolve) => setTimeout(resolve, 2));
    return seen;
  };
  return { state, ledger: new MemoryLedger({ snapshot }) };
}

const gpuFree = (hardware: HardwareSnapshot) => (hardware.gpus[0]?.freeBytes ?? 0) / gib;
const takeAll = (hardware: HardwareSnapshot) => {
  const bytes = hardware.gpus[0]?.freeBytes ?? 0;
  return { choice: bytes / gib, needs: new Map([["GPU-0", bytes]]) };
};
const take = (id: string, bytes: number) => () => ({ choice: null, needs: new Map([[id, bytes]]) });

describe("the memory ledger", () => {
  it("never promises the same bytes to two loads that start together", async () => {
    const { ledger } = ledgerOn(machine(20 * gib));
    const both = await Promise.all([ledger.reserve(takeAll, never), ledger.reserve(takeAll, never)]);
    expect(both.map(({ choice }) => choice)).toEqual([20, 0]);
  });

  it("gives the memory back by disposal, once", async () => {
    const { ledger } = ledgerOn(machine(20 * gib));
    const { reservation } = await ledger.reserve(take("GPU-0", 12 * gib), never);
    expect(gpuFree(await ledger.read(never))).toBe(8);
    reservation[Symbol.dispose]();
    reservation[Symbol.dispose]();
    expect(gpuFree(await ledger.read(never))).toBe(20);
  });

  it("counts a finished load once: as used by the device, and beyond that only what the device does not show", async () => {
    const { ledger, state } = ledgerOn(machine(20 * gib, 32 * gib));
    const needs = new Map([
      ["GPU-0", 12 * gib],
      ["cpu", 6 * gib],
    ]);
    const { reservation } = await ledger.reserve(() => ({ choice: null, needs }), never);
    // 5 of the 6 GiB are mapped from a file, which the system calls available.
    state.now = machine(8 * gib, 31 * gib);
    reservation.settle(new Map([["cpu", 5 * gib]]));
    const after = await ledger.read(never);
    expect(gpuFree(after)).toBe(8);
    expect(after.memory.availableBytes / gib).toBe(26);
  });

  it("counts what a replaced model would free", async () => {
    const { ledger, state } = ledgerOn(machine(20 * gib, 32 * gib));
    const needs = new Map([
      ["GPU-0", 12 * gib],
      ["cpu", 6 * gib],
    ]);
    const { reservation } = await ledger.reserve(() => ({ choice: null, needs }), never);
    state.now = machine(8 * gib, 31 * gib);
    reservation.settle(new Map([["cpu", 5 * gib]]));
    const after = await ledger.read(never, [reservation]);
    expect(gpuFree(after)).toBe(20);
    expect(after.memory.availableBytes / gib).toBe(32);
  });

  it("reads what others use anew for each load, and never gives out less than nothing", async () => {
    const { ledger, state } = ledgerOn(machine(20 * gib));
    await ledger.reserve(take("GPU-0", 10 * gib), never);
    state.now = machine(4 * gib);
    const { choice } = await ledger.reserve(takeAll, never);
    expect(choice).toBe(0);
    expect(state.reads).toBe(2);
  });

  it("reads again when a load ended while it was reading", async () => {
    const { ledger, state } = ledgerOn(machine(20 * gib));
    const { reservation } = await ledger.reserve(take("GPU-0", 12 * gib), never);
    const reading = ledger.read(never);
    state.now = machine(8 * gib);
    reservation.settle(new Map());
    expect(gpuFree(await reading)).toBe(8);
  });

  it("takes what is promised on a GPU that works in main memory off the main memory too", async () => {
    const { ledger } = ledgerOn(machine(20 * gib, 24 * gib, true));
    await ledger.reserve(take("GPU-0", 12 * gib), never);
    expect((await ledger.read(never)).memory.availableBytes / gib).toBe(12);
  });

  it("sets nothing aside when the choice fails", async () => {
    const { ledger } = ledgerOn(machine(20 * gib));
    const failing = ledger.reserve(() => {
      throw new Error("no");
    }, never);
    await expect(failing).rejects.toThrow("no");
    expect(gpuFree(await ledger.read(never))).toBe(20);
  });
});
