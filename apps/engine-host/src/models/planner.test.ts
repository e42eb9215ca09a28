import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hardwareSnapshot } from "@corral/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Planner } from "./planner.ts";

const resources = fileURLToPath(new URL("../../../../resources/", import.meta.url));
const reader = join(resources, "reader-model/corral-reader-q8_0.gguf");
const gib = 2 ** 30;
const snapshot = hardwareSnapshot.parse({
  takenAt: "",
  os: { platform: "linux", distribution: "Test", architecture: "x64" },
  cpu: { name: "Test CPU", physicalCores: 8, logicalCores: 16 },
  memory: { totalBytes: 32 * gib, availableBytes: 30 * gib },
  gpus: [],
  disk: { path: "/", freeBytes: null },
  notes: [],
});
const signal = AbortSignal.timeout(30_000);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-planner-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function planner(catalogPath = join(resources, "catalog/models.json")): Planner {
  return new Planner({
    catalogPath,
    hardware: { snapshot: () => Promise.resolve(snapshot) },
    library: null,
    record: null,
  });
}

it("plans for a model of the catalog on this machine, or on another", async () => {
  const here = await planner().planFor({ model: "llama-3.2-1b-instruct" }, signal);
  expect(here).toMatchObject({ placement: "cpu", fits: true, contextSize: 8192 });
  const gpu = { id: "g", index: 0, name: "H100", vendor: "NVIDIA", usable: true, unifiedMemory: false };
  const hardware = { ...snapshot, gpus: [{ ...gpu, totalBytes: 80 * gib, freeBytes: 80 * gib }] };
  const there = await planner().planFor({ model: "LLAMA-3.1-8B-instruct", hardware, users: 2 }, signal);
  expect(there).toMatchObject({ model: "llama-3.1-8b-instruct", tier: "BF16", placement: "gpu" });
});

it("plans for a file from its own tensors", async () => {
  const made = await planner().planFor({ model: reader }, signal);
  expect(made).toMatchObject({ quantization: "Q8_0", fits: true, model: reader });
  const weights = made.devices.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
  expect(weights).toBeGreaterThan(3e6);
  expect(weights).toBeLessThan(6e6);
});

it("counts what earlier loads of a file took beyond their plan", async () => {
  const hardware = { snapshot: () => Promise.resolve(snapshot) };
  const record = { corrections: () => Promise.resolve(new Map([["cpu", gib]])) };
  const catalogPath = join(resources, "catalog/models.json");
  const learnt = await new Planner({ catalogPath, hardware, library: null, record }).planFor({ model: reader }, signal);
  const usual = await planner().planFor({ model: reader }, signal);
  expect((learnt.devices[0]?.overheadBytes ?? 0) - (usual.devices[0]?.overheadBytes ?? 0)).toBe(gib);
});

it("makes the fit matrix of this machine", async () => {
  const { cells, recommended } = await planner().matrix({ contextSize: 8192 }, signal);
  expect(cells).toHaveLength(18);
  expect(recommended).not.toBeNull();
});

it("says what it does not know", async () => {
  await expect(planner().planFor({ model: "gpt-9" }, signal)).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
    message: expect.stringContaining("llama-3.1-8b-instruct") as string,
  });
  await expect(planner().planFor({ model: "/nowhere/x.gguf" }, signal)).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
  });
});

it("says when the catalog is missing or damaged", async () => {
  const missing = planner(join(folder, "none.json"));
  await expect(missing.planFor({ model: "x" }, signal)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  const path = join(folder, "damaged.json");
  await writeFile(path, '{"models": [{"id": 1}]}');
  await expect(planner(path).planFor({ model: "x" }, signal)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});
