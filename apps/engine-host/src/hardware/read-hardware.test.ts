import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hardwareSnapshot } from "@corral/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseNvidiaSmi } from "./nvidia-smi.ts";
import { createHardware } from "./read-hardware.ts";
import { withinTime } from "./timeout.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-hardware-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A program in nvidia-smi's place. */
async function tool(script: string): Promise<string> {
  const path = join(folder, "nvidia-smi");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("snapshot", () => {
  it("describes this machine in the protocol's words", async () => {
    const snapshot = await createHardware({ diskPath: folder }).snapshot();
    expect(hardwareSnapshot.parse(snapshot)).toEqual(snapshot);
    expect(snapshot.memory.availableBytes).toBeGreaterThan(0);
    expect(snapshot.memory.availableBytes).toBeLessThanOrEqual(snapshot.memory.totalBytes);
    expect(snapshot.cpu.physicalCores).toBeLessThanOrEqual(snapshot.cpu.logicalCores);
    expect(snapshot.disk.freeBytes).toBeGreaterThan(0);
  });

  it.skipIf(process.platform === "win32")("lists the GPUs nvidia-smi tells of", async () => {
    const nvidiaSmi = await tool(`echo "0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559, 81000, 570.1"`);
    const { gpus, notes } = await createHardware({ diskPath: folder, nvidiaSmi }).snapshot();
    expect(gpus[0]).toMatchObject({ id: "GPU-aaaa", totalBytes: 81_559 * 2 ** 20, freeBytes: 81_000 * 2 ** 20 });
    expect(notes).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("notes a tool that hangs or fails, and answers all the same", async () => {
    const hanging = await tool("exec sleep 30");
    const slow = await createHardware({ diskPath: folder, nvidiaSmi: hanging, timeoutMs: 300 }).snapshot();
    expect(slow.notes.join(" ")).toMatch(/nvidia-smi .*0\.3 s/);
    const failing = await tool("echo NVIDIA-SMI has failed because it could not talk to the driver; exit 9");
    const failed = await createHardware({ diskPath: folder, nvidiaSmi: failing }).snapshot();
    expect(failed.notes.join(" ")).toContain("could not talk to the driver");
    expect(failed.cpu.name).not.toBe("");
  });

  it("notes a disk that cannot be read", async () => {
    const { disk, notes } = await createHardware({ diskPath: join(folder, "none") }).snapshot();
    expect(disk.freeBytes).toBeNull();
    expect(notes.join(" ")).toContain("The disk could not be read");
  });

  it("stops when cancelled", async () => {
    await expect(createHardware({ diskPath: folder }).snapshot(AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });
});

describe("nvidia-smi's output", () => {
  it("reads several GPUs, unknown memory and nonsense", () => {
    const output = "0, GPU-a, A, 100, 50, 1\n1, GPU-b, B, [N/A], [N/A], \nError: something\n\n";
    expect(parseNvidiaSmi(output).map(({ id, totalBytes, driver }) => [id, totalBytes, driver])).toEqual([
      ["GPU-a", 100 * 2 ** 20, "1"],
      ["GPU-b", null, null],
    ]);
  });
});

describe("withinTime", () => {
  it("gives the value, or null with one note", async () => {
    const notes: string[] = [];
    const note = (sentence: string) => notes.push(sentence);
    expect(await withinTime(1000, "It", note, () => Promise.resolve(7))).toBe(7);
    expect(await withinTime(20, "It", note, () => new Promise(() => undefined))).toBeNull();
    expect(await withinTime(1000, "It", note, () => Promise.reject(new Error("broken")))).toBeNull();
    expect(notes).toEqual(["It did not answer within 0.02 s.", "It could not be read: broken."]);
  });
});
