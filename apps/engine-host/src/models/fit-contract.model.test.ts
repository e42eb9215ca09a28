import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLlamaEngine } from "../engines/llama-engine.ts";
import { createHardware } from "../hardware/read-hardware.ts";
import { openLogger } from "../logger.ts";
import { openStore } from "../store/open-store.ts";
import { createModels } from "./create-models.ts";

const readerPath = join(import.meta.dirname, "../../../../resources/reader-model/corral-reader-q8_0.gguf");
const never = new AbortController().signal;
const mebibyte = 2 ** 20;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "corral-fit-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("what the reader takes is what was planned, is kept in the store, and corrects the next plan", async () => {
  const logger = openLogger({ directory: null, stderr: null });
  await using store = await openStore(folder);
  const start = () =>
    createModels({
      store,
      engine: createLlamaEngine({ logger }),
      hardware: createHardware({ diskPath: folder }),
      logger,
      embeddedModelPath: readerPath,
    });
  let learnt = 0;
  {
    await using models = start();
    const { memory } = await models.load("corral-reader", never);
    const planned = memory?.plan.devices[0];
    const measured = memory?.measured[0];
    if (!planned || !measured || measured.overheadBytes === null) throw new Error("Nothing was measured.");
    expect(measured.kvCacheBytes).toBe(planned.kvCacheBytes);
    expect(Math.abs(measured.weightsBytes / planned.weightsBytes - 1)).toBeLessThan(0.01);
    // So small a buffer is mostly what falls between the tensors in it.
    expect(Math.abs(measured.computeBytes - planned.computeBytes)).toBeLessThan(mebibyte);
    // The rest is the process of the worker; how much of Node.js is resident varies.
    expect(Math.abs(measured.overheadBytes - planned.overheadBytes)).toBeLessThan(48 * mebibyte);
    const [kept] = await store.fitMeasurements.list("corral-reader", "Q8_0");
    expect(kept?.measured.kvCacheBytes).toBe(planned.kvCacheBytes);
    expect(kept?.predicted.overheadBytes).toBe(planned.overheadBytes);
    learnt = planned.overheadBytes;
  }
  await using again = start();
  const next = (await again.plan("corral-reader")).devices[0];
  const [kept] = await store.fitMeasurements.list("corral-reader", "Q8_0");
  const difference = (kept?.measured.overheadBytes ?? 0) - learnt;
  expect(Math.abs((next?.overheadBytes ?? 0) - learnt - difference)).toBeLessThan(mebibyte);
});
