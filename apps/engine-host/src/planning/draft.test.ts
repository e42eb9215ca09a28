import { describe, expect, it } from "vitest";
import { canDraftFor, draftBytes, withDraft } from "./draft.ts";
import { parseGpuList } from "./gpu-list.ts";
import { weightsOf } from "./model-weights.ts";
import { neededBytes } from "./placement.ts";
import { planLoad, type PlannedModel } from "./plan-load.ts";
import { catalogModel } from "./testing/catalog.ts";

const gib = 2 ** 30;

function fileOf(size: "1b" | "3b" | "8b" | "70b", quantization = "Q4_K_M"): PlannedModel {
  const model = catalogModel(size);
  return { ...model, file: weightsOf(model.shape, model.isTied, quantization) };
}

describe("a draft model", () => {
  it("has the same family and vocabulary, and at most a quarter of the parameters", () => {
    const [one, three, eight, seventy] = [fileOf("1b"), fileOf("3b"), fileOf("8b"), fileOf("70b")].map(
      ({ shape }) => shape,
    );
    expect(canDraftFor(one!, eight!)).toBe(true);
    expect(canDraftFor(eight!, seventy!)).toBe(true);
    expect(canDraftFor(three!, eight!)).toBe(false);
    expect(canDraftFor(eight!, one!)).toBe(false);
    expect(canDraftFor({ ...one!, vocabularySize: 32_000 }, eight!)).toBe(false);
    expect(canDraftFor({ ...one!, architecture: "qwen3" }, eight!)).toBe(false);
  });

  it.each([
    ["1x RTX 4090 24GB", 16_384],
    ["2x RTX 4090 24GB", 49_152],
    ["cpu + ram 64GB", 8192],
  ])("takes its weights and a cache of its own for each slot, and still fits: %s", (machine, contextSize) => {
    const hardware = parseGpuList(machine);
    const plan = planLoad(fileOf("8b"), hardware, { contextSize, users: 2 });
    const beside = withDraft(plan, fileOf("1b"), hardware);
    if (!beside) throw new Error("There is room.");
    expect(beside.draft).toBe(catalogModel("1b").id);
    for (const device of beside.devices) expect(neededBytes(device)).toBeLessThanOrEqual(device.freeBytes);
    const tokens = plan.slots.reduce((sum, { contextSize: size, count }) => sum + size * count, 0);
    const kvBytes = (plan.kvCacheType === "f16" ? 1 : 34 / 64) * 32_768 * tokens;
    const added = draftBytes(plan, beside);
    expect(added).toBeGreaterThan(fileOf("1b").file!.weightsBytes + kvBytes);
    expect(added).toBeLessThan(fileOf("1b").file!.weightsBytes + kvBytes + 2 * gib);
  });

  it("stays away where there is no room, or no plan", () => {
    const hardware = parseGpuList("1x RTX 4090 24GB");
    const full = planLoad(fileOf("8b", "BF16"), hardware, { contextSize: 45_056, users: 1 });
    expect(full.fits).toBe(true);
    expect(withDraft(full, fileOf("1b", "BF16"), hardware)).toBeNull();
    const none = planLoad(fileOf("70b", "BF16"), parseGpuList("cpu + ram 16GB"), { contextSize: 8192, users: 1 });
    expect(withDraft(none, fileOf("1b"), hardware)).toBeNull();
  });
});
