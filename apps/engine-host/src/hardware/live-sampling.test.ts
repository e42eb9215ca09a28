import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hardwareSample, type HardwareSample } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { createHardware } from "./read-hardware.ts";
import { openFakeMachine, type FakeMachine } from "./testing/fake-machine.ts";

const mebibyte = 2 ** 20;

/** Samples until `isEnough` says so. */
async function watchUntil(
  samples: AsyncIterable<HardwareSample>,
  isEnough: (sample: HardwareSample) => boolean,
): Promise<HardwareSample> {
  for await (const sample of samples) if (isEnough(sample)) return sample;
  throw new Error("The stream ended too early.");
}

const hasLoad = (sample: HardwareSample) => sample.gpus.every(({ usedBytes }) => usedBytes !== null);
const loops = async (machine: FakeMachine) => (await machine.calls()).filter((call) => call.includes("-lms"));

describe.skipIf(process.platform === "win32")("watching", () => {
  it("tells what changes, from one loop that all watchers share and that ends with the last", async () => {
    await using machine = await openFakeMachine("2-unequal");
    // Tells its number, so that the test sees it end; then the loop of the fake as before.
    await machine.setTool(
      "nvidia-smi",
      `case "$*" in *-lms*) echo $$ >> '${machine.folder}/loop'; show nvidia-smi.query-gpu.csv; while :; do /bin/sleep 0.05; show nvidia-smi.query-gpu.csv; done ;; --query-gpu=*) show nvidia-smi.query-gpu.csv ;; esac`,
    );
    const hardware = createHardware({ ...machine.options, intervalMs: 50 });
    const [first, second] = [new AbortController(), new AbortController()];
    const [one, other] = await Promise.all([
      watchUntil(hardware.watch(first.signal), hasLoad),
      watchUntil(hardware.watch(second.signal), hasLoad),
    ]);
    expect(hardwareSample.parse(one)).toEqual(one);
    expect(other.gpus.map(({ id }) => id)).toEqual(one.gpus.map(({ id }) => id));
    expect(one.gpus[1]).toEqual({
      id: expect.stringMatching(/^GPU-/) as string,
      usedBytes: 2821 * mebibyte,
      freeBytes: 9114 * mebibyte,
      utilizationPercent: 24,
      temperatureCelsius: 52,
      powerWatts: 38.1,
    });
    expect(one.memory.availableBytes).toBeGreaterThan(0);
    expect(await loops(machine)).toHaveLength(1);
    const pid = (await readFile(join(machine.folder, "loop"), "utf8")).trim();
    await expect.poll(() => isRunning(pid)).toBe(false);
    const before = (await machine.calls()).length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await machine.calls()).toHaveLength(before);
  });

  it("goes on for one watcher when the other leaves, and starts anew for the next", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090");
    const hardware = createHardware({ ...machine.options, intervalMs: 30 });
    const [leaving, staying] = [new AbortController(), new AbortController()];
    const left = watchUntil(hardware.watch(leaving.signal), () => false).catch((error: Error) => error.message);
    let seen = 0;
    const stayed = watchUntil(hardware.watch(staying.signal), () => {
      if (seen === 3) leaving.abort();
      return ++seen > 8;
    });
    expect(await left).toBe("The stream ended too early.");
    await stayed;
    expect(await loops(machine)).toHaveLength(1);
    await watchUntil(hardware.watch(new AbortController().signal), hasLoad);
    expect(await loops(machine)).toHaveLength(2);
  });

  it("ends at once when the signal aborts while nothing comes", async () => {
    await using machine = await openFakeMachine("no-gpu");
    const hardware = createHardware({ ...machine.options, intervalMs: 60_000 });
    const controller = new AbortController();
    const samples: HardwareSample[] = [];
    for await (const sample of hardware.watch(controller.signal)) {
      samples.push(sample);
      setTimeout(() => controller.abort(), 20);
    }
    expect(samples).toHaveLength(1);
    expect(samples[0]?.gpus).toEqual([]);
  });

  it("asks once per sample where the loop stays silent", async () => {
    await using machine = await openFakeMachine("1x-rtx-4090");
    await machine.setTool(
      "nvidia-smi",
      `case "$*" in *-lms*) exec /bin/sleep 60 ;; --query-gpu=*) show nvidia-smi.query-gpu.csv ;; esac`,
    );
    const hardware = createHardware({ ...machine.options, intervalMs: 40 });
    const sample = await watchUntil(hardware.watch(new AbortController().signal), hasLoad);
    expect(sample.gpus[0]?.usedBytes).toBe(8466 * mebibyte);
    expect(await loops(machine)).toHaveLength(1);
  });

  it("goes on without the figures of a tool that hangs, and leaves that tool alone for a while", async () => {
    await using machine = await openFakeMachine("arc-a770");
    const hardware = createHardware({ ...machine.options, intervalMs: 30, timeoutMs: 300 });
    let seen = 0;
    for await (const { gpus, memory } of hardware.watch(new AbortController().signal)) {
      seen++;
      expect(memory.totalBytes).toBeGreaterThan(0);
      if (seen === 1) {
        expect(gpus[0]).toMatchObject({ usedBytes: Math.round(190.02 * mebibyte), utilizationPercent: 4.5 });
        await machine.setTool("xpu-smi", "exec /bin/sleep 60");
      }
      if (gpus[0]?.usedBytes === null && seen > 4) break;
    }
    const calls = (await machine.calls()).filter((call) => call.startsWith("xpu-smi stats"));
    expect(calls.length).toBeLessThan(seen + 1);
  });

  it("reads MIG parts from the overview, AMD's cards from the kernel, Apple's from ioreg", async () => {
    await using divided = await openFakeMachine("mig-on");
    const parts = (
      await watchFirst(divided, (sample) => sample.gpus.slice(0, 4).every((gpu) => gpu.freeBytes !== null))
    ).gpus;
    expect(parts[1]).toMatchObject({ usedBytes: 3892 * mebibyte, freeBytes: (40_192 - 3892) * mebibyte });
    expect(parts[2]?.usedBytes).toBe(25 * mebibyte);

    await using amd = await openFakeMachine("2x-mi300x");
    const [, card] = (await watchFirst(amd, hasLoad)).gpus;
    expect(card).toMatchObject({ usedBytes: 127_238_406_144, utilizationPercent: 87, powerWatts: 542 });
    expect((await amd.calls()).filter((call) => call.startsWith("amd-smi metric"))).toHaveLength(1);

    await using mac = await openFakeMachine("m2-max", "darwin");
    const [chip] = (await watchFirst(mac, hasLoad)).gpus;
    expect(chip).toMatchObject({ usedBytes: 1_284_358_144, utilizationPercent: 41, freeBytes: 41_231_686_041 });
  });

  it("asks AMD's tools where the kernel's files are not there", async () => {
    await using machine = await openFakeMachine("2x-mi300x");
    const sysRoot = join(machine.folder, "none");
    const options = { ...machine.options, machine: { ...machine.options.machine, sysRoot } };
    const sample = await watchUntil(
      createHardware({ ...options, intervalMs: 30 }).watch(new AbortController().signal),
      hasLoad,
    );
    expect(sample.gpus[1]).toMatchObject({ usedBytes: 121_344 * mebibyte, temperatureCelsius: 71 });
    await machine.setTool("amd-smi", "exit 1");
    const byRocm = await watchUntil(
      createHardware({ ...options, intervalMs: 30 }).watch(new AbortController().signal),
      hasLoad,
    );
    expect(byRocm.gpus[1]).toMatchObject({ usedBytes: 127_238_406_144, powerWatts: 542 });
  });

  it("sees a change", async () => {
    await using machine = await openFakeMachine("2x-mi300x");
    const hardware = createHardware({ ...machine.options, intervalMs: 20 });
    const file = join(machine.options.machine?.sysRoot ?? "", "bus/pci/devices/0000:05:00.0/mem_info_vram_used");
    let changed = false;
    const sample = await watchUntil(hardware.watch(new AbortController().signal), ({ gpus }) => {
      if (!changed) void writeFile(file, "99000000000\n");
      changed = true;
      return gpus[0]?.usedBytes === 99_000_000_000;
    });
    expect(sample.gpus[0]?.freeBytes).toBe(206_141_652_992 - 99_000_000_000);
  });
});

function watchFirst(machine: FakeMachine, isEnough: (sample: HardwareSample) => boolean): Promise<HardwareSample> {
  const hardware = createHardware({ ...machine.options, intervalMs: 30 });
  return watchUntil(hardware.watch(new AbortController().signal), isEnough);
}

async function isRunning(pid: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: X");
  return !/State:\s+[XZ]/.test(status);
}
