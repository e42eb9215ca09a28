import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readHardwareFile } from "./hardware-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-hardware-file-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(value: unknown) {
  const path = join(folder, "machine.json");
  await writeFile(path, typeof value === "string" ? value : JSON.stringify(value));
  return readHardwareFile(path);
}

const gib = 2 ** 30;
const memory = { totalBytes: 64 * gib, availableBytes: 60 * gib };

it("takes a snapshot, with more in it than a plan needs", async () => {
  const gpu = {
    id: "GPU-1",
    index: 0,
    name: "NVIDIA H100",
    vendor: "NVIDIA",
    totalBytes: 80 * gib,
    freeBytes: 70 * gib,
  };
  const snapshot = {
    takenAt: "2026-11-24T00:00:00Z",
    cpu: { name: "EPYC", physicalCores: 64, logicalCores: 128, instructionSets: ["AVX2"] },
    memory,
    gpus: [{ ...gpu, driver: "570", source: "nvidia-smi", temperatureCelsius: 40 }],
    notes: [],
  };
  await expect(read(snapshot)).resolves.toEqual({
    cpu: { name: "EPYC", physicalCores: 64, logicalCores: 128 },
    memory,
    gpus: [{ ...gpu, usable: true, unifiedMemory: false }],
  });
});

it("fills in what a hand-written file leaves out", async () => {
  const made = await read({ memory: { totalBytes: 64 * gib }, gpus: [{ name: "H100", totalBytes: 80 * gib }] });
  expect(made.memory.availableBytes).toBe(64 * gib);
  expect(made.gpus[0]).toMatchObject({ id: "gpu-0", index: 0, freeBytes: 80 * gib });
  await expect(read({ memory })).resolves.toMatchObject({ gpus: [] });
});

it.each([
  ["not json", undefined],
  [[1], ""],
  [{ gpus: [] }, "memory"],
  [{ memory, gpus: [{ name: "H100", totalBytes: -1 }] }, "gpus.0.totalBytes"],
  [{ memory, gpus: [7] }, "gpus.0"],
  [{ memory: { totalBytes: "much" }, gpus: [] }, "memory.totalBytes"],
])("refuses %j, naming the field", async (value, field) => {
  await expect(read(value)).rejects.toMatchObject({ code: "INVALID_INPUT", data: field ? { field } : {} });
});

it("says when there is no file", async () => {
  await expect(readHardwareFile(join(folder, "none.json"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});
