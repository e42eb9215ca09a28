import type { LoadPlan, ModelShape } from "@corral/protocol";
import { describe, expect, it } from "vitest";
import { parseGpuList } from "./gpu-list.ts";
import { weightsOf } from "./model-weights.ts";
import { neededBytes } from "./placement.ts";
import { planLoad, type LoadWish, type PlannedModel } from "./plan-load.ts";
import { tierLabel, tierOf } from "./precision-tier.ts";
import { catalog, catalogModel } from "./testing/catalog.ts";

const gib = 2 ** 30;
const full = 131_072;
type Size = Parameters<typeof catalogModel>[0];

function plan(size: Size, machine: string, wish: Partial<LoadWish> = {}): LoadPlan {
  return planLoad(catalogModel(size), parseGpuList(machine), { contextSize: full, users: 1, ...wish }, catalog);
}

function file(size: Size, quantization: string): PlannedModel {
  const model = catalogModel(size);
  return { ...model, file: weightsOf(model.shape, model.isTied, quantization) };
}

const sumOf = (made: LoadPlan, field: "weightsBytes" | "kvCacheBytes") =>
  made.devices.reduce((sum, device) => sum + device[field], 0);

describe("what must come out: one user, 128K wished, balanced", () => {
  it.each([
    ["1x RTX 4090 24GB", "8b", "FP8", "q8_0"],
    ["2x RTX 4090 24GB", "8b", "BF16", "f16"],
    ["1x H100 80GB", "8b", "BF16", "f16"],
    ["1x H100 80GB", "70b", "INT4", "q8_0"],
    ["2x A100 80GB", "8b", "BF16", "f16"],
    ["2x A100 80GB", "70b", "FP8", "f16"],
    ["4x A100 80GB", "8b", "BF16", "f16"],
    ["4x A100 80GB", "70b", "BF16", "f16"],
    ["4x A100 80GB", "405b", "INT4", "f16"],
    ["8x H100 80GB", "8b", "BF16", "f16"],
    ["8x H100 80GB", "70b", "BF16", "f16"],
    ["8x H100 80GB", "405b", "FP8", "f16"],
    ["10x H100 80GB", "405b", "FP8", "f16"],
    ["8x H200 141GB", "8b", "BF16", "f16"],
    ["8x H200 141GB", "70b", "BF16", "f16"],
    ["8x H200 141GB", "405b", "BF16", "f16"],
  ] as const)("%s holds %s in %s with %s KV at 131,072 tokens", (machine, size, tier, kvCacheType) => {
    const made = plan(size, machine);
    expect(made).toMatchObject({ tier, kvCacheType, contextSize: full, fits: true, missingBytes: 0 });
    expect(["gpu", "multi-gpu"]).toContain(made.placement);
    for (const device of made.devices) expect(neededBytes(device)).toBeLessThanOrEqual(device.freeBytes);
  });

  it.each([
    ["1x RTX 4090 24GB", "405b"],
    ["2x RTX 4090 24GB", "405b"],
    ["1x H100 80GB", "405b"],
    ["2x A100 80GB", "405b"],
  ] as const)("%s does not hold %s, with bytes missing and a smaller model named", (machine, size) => {
    const made = plan(size, machine);
    expect(made).toMatchObject({ fits: false, placement: "none" });
    expect(made.missingBytes).toBeGreaterThan(20 * gib);
    expect(made.reasons[0]).toMatch(/does not fit.*[\d.]+ GiB are missing/);
    expect(made.reasons[1]).toContain("llama-3.3-70b-instruct would fit");
    const short = made.devices.reduce((sum, device) => sum + Math.max(0, neededBytes(device) - device.freeBytes), 0);
    expect(short).toBe(made.missingBytes);
  });

  it("1x RTX 4090: 70B is kept partly in main memory, with its honest speed", () => {
    const made = plan("70b", "1x RTX 4090 24GB");
    expect(made).toMatchObject({ tier: "INT4", placement: "partial", fits: true });
    expect(made.reasons[0]).toMatch(
      /in main memory, which is slower \(estimated at [\d.]+ to [\d.]+ tokens per second\)/,
    );
    expect(made.estimate.decodeTokensPerSecond.high).toBeLessThan(5);
    expect(made.alternatives.filter(({ contextSize }) => contextSize === full).every(({ fits }) => !fits)).toBe(true);
  });

  it("2x RTX 4090: 70B in INT4 with a shorter context, whole on both cards", () => {
    const made = plan("70b", "2x RTX 4090 24GB");
    expect(made).toMatchObject({ tier: "INT4", kvCacheType: "q8_0", placement: "multi-gpu", fits: true });
    expect(made.contextSize).toBeGreaterThanOrEqual(32_768);
    expect(made.contextSize).toBeLessThan(full);
    expect(made.reasons.join(" ")).toMatch(/context is [\d,]+ tokens instead of 131,072/);
  });

  it("10x H100: the plan says at which context BF16 would fit", () => {
    const made = plan("405b", "10x H100 80GB");
    const bf16 = made.alternatives.filter(({ tier, fits }) => tier === "BF16" && fits);
    expect(bf16.length).toBeGreaterThan(0);
    for (const { contextSize } of bf16) expect(contextSize).toBeLessThan(32_768);
    expect(made.reasons.join(" ")).toMatch(/BF16 with q8_0 KV cache would fit with up to [\d,]+ tokens/);
    const refused = made.alternatives.find(({ tier, contextSize }) => tier === "BF16" && contextSize === full);
    expect(refused?.fits).toBe(false);
    expect(refused?.missingBytes).toBeGreaterThan(0);
  });

  it("puts weights alone beside the whole", () => {
    const made = plan("405b", "8x H100 80GB");
    expect(sumOf(made, "weightsBytes") / gib).toBeCloseTo(401.6, 0);
    expect(sumOf(made, "kvCacheBytes")).toBe(63 * gib);
    expect(made.reasons.join(" ")).toMatch(
      /weights alone \(FP8 tier · Q8_0\) take 401.6 GiB; with the KV cache .* it is/,
    );
  });
});

describe("the ladder", () => {
  it.each([
    ["balanced", "FP8", "f16"],
    ["quality", "BF16", "q8_0"],
    ["speed", "INT4", "f16"],
    ["longest-context", "FP8", "f16"],
  ] as const)("70B on 2x A100, %s: %s with %s KV", (preference, tier, kvCacheType) => {
    expect(plan("70b", "2x A100 80GB", { preference })).toMatchObject({ tier, kvCacheType, contextSize: full });
  });

  it("speed keeps small models at 8 bits, where 4 cost too much quality", () => {
    expect(plan("1b", "1x RTX 4090 24GB", { preference: "speed" }).tier).toBe("FP8");
  });

  it("without room for the wish, the highest tier that holds 32,768 tokens; for the longest context the smallest", () => {
    const balanced = plan("8b", "1x RTX 3060 12GB");
    expect(balanced).toMatchObject({ tier: "FP8", kvCacheType: "q8_0", placement: "gpu" });
    expect(balanced.contextSize).toBeGreaterThanOrEqual(32_768);
    const longest = plan("8b", "1x RTX 3060 12GB", { preference: "longest-context" });
    expect(longest.tier).toBe("INT4");
    expect(longest.contextSize).toBeGreaterThan(balanced.contextSize);
  });

  it("below 32,768 tokens, the tier with the longest context of at least 4,096", () => {
    const made = plan("70b", "1x RTX 4090 24GB + 1x RTX 4080 16GB");
    expect(made).toMatchObject({ placement: "partial" });
    const tight = plan("70b", "4x RTX 3060 12GB");
    expect(tight).toMatchObject({ tier: "INT4", quantization: "IQ4_XS", kvCacheType: "q8_0", placement: "multi-gpu" });
    expect(tight.contextSize).toBeGreaterThanOrEqual(4096);
    expect(tight.contextSize).toBeLessThan(32_768);
  });

  it.each([
    [{ tier: "BF16" }, { tier: "BF16", kvCacheType: "q8_0" }],
    [{ tier: "FP8" }, { tier: "FP8", kvCacheType: "f16" }],
    [{ quantization: "q5_k_m" }, { quantization: "Q5_K_M", tier: "INT4", kvCacheType: "f16" }],
    [{ kvCacheType: "q8_0" }, { kvCacheType: "q8_0", tier: "BF16" }],
    [{ contextSize: 65_536 }, { contextSize: 65_536, tier: "BF16" }],
    [{ placement: "cpu" }, { placement: "none" }],
    [{ placement: "gpu" }, { placement: "gpu", tier: "INT4" }],
    [{ placement: "partial" }, { placement: "partial", tier: "INT4" }],
  ] as const)("leaves pinned parts as they are: %o", (pins, expected) => {
    expect(plan("70b", "2x A100 80GB + ram 16GB", { pins })).toMatchObject(expected);
  });

  it("does not shorten a pinned context", () => {
    const made = plan("8b", "1x RTX 3060 12GB + ram 4GB", { pins: { contextSize: full } });
    expect(made).toMatchObject({ fits: false, contextSize: full });
  });

  it("says when the pinned parts exclude each other, and when there is no GPU to pin to", () => {
    expect(plan("8b", "1x H100 80GB", { pins: { tier: "BF16", quantization: "Q4_K_M" } })).toMatchObject({
      fits: false,
    });
    const made = plan("8b", "cpu + ram 64GB", { pins: { placement: "gpu" } });
    expect(made).toMatchObject({ fits: false, placement: "none" });
    expect(made.reasons[0]).toContain("no GPU");
  });

  it("a file has one quantization: only KV type and context are chosen", () => {
    const wish = { contextSize: null, users: 1 };
    const made = planLoad(file("8b", "Q8_0"), parseGpuList("1x RTX 4090 24GB"), wish);
    expect(made).toMatchObject({ quantization: "Q8_0", tier: "FP8", kvCacheType: "q8_0", contextSize: full });
    expect(made.alternatives.every(({ quantization }) => quantization === "Q8_0")).toBe(true);
  });

  it("never quantizes a cache whose heads do not fill its blocks", () => {
    const model = catalogModel("8b");
    const shape: ModelShape = { ...model.shape, keyLength: 80, valueLength: 80 };
    const made = planLoad({ ...model, shape }, parseGpuList("1x RTX 3060 12GB"), { contextSize: full, users: 1 });
    expect(made.kvCacheType).toBe("f16");
  });
});

describe("devices", () => {
  it("prefers one GPU to several, the faster of those that hold it, and says so", () => {
    const made = plan("8b", "1x RTX 3090 24GB + 1x H100 80GB");
    expect(made).toMatchObject({ placement: "gpu", tier: "BF16" });
    expect(made.devices[0]?.name).toBe("H100 80GB");
    expect(made.reasons[0]).toContain("one GPU");
  });

  it("fills unequal cards in proportion to what is free, never over it", () => {
    const made = plan("70b", "2x RTX 4090 24GB + 1x A100 80GB");
    expect(made.placement).toBe("multi-gpu");
    const filled = made.devices
      .slice(0, -1)
      .map((device) => (device.weightsBytes + device.kvCacheBytes) / device.freeBytes);
    expect(Math.max(...filled) - Math.min(...filled)).toBeLessThan(0.12);
    for (const device of made.devices) expect(neededBytes(device)).toBeLessThanOrEqual(device.freeBytes);
  });

  it("counts what others use", () => {
    const idle = parseGpuList("2x A100 80GB");
    const busy = {
      ...idle,
      gpus: idle.gpus.map((gpu, index) => (index === 1 ? { ...gpu, freeBytes: 20 * gib } : gpu)),
    };
    const made = planLoad(catalogModel("70b"), busy, { contextSize: full, users: 1 });
    const card = made.devices.find(({ id }) => id === "gpu-1");
    expect(made.tier).toBe("INT4");
    expect(card?.usedByOthersBytes ?? 60 * gib).toBe(60 * gib);
    expect(planLoad(catalogModel("70b"), idle, { contextSize: full, users: 1 }).tier).toBe("FP8");
  });

  it("keeps the reserve the owner asks for on each device", () => {
    const made = plan("8b", "2x RTX 4090 24GB", { reserveBytes: 3 * gib });
    for (const device of made.devices) expect(device.reserveBytes).toBeGreaterThanOrEqual(3 * gib);
    expect(plan("8b", "1x RTX 4090 24GB").devices[0]?.reserveBytes).toBe(gib);
  });

  it("leaves out a GPU whose memory is not known, or that no model may use", () => {
    const one = parseGpuList("1x H100 80GB");
    const unknown = { ...one, gpus: one.gpus.map((gpu) => ({ ...gpu, freeBytes: null })) };
    const divided = { ...one, gpus: one.gpus.map((gpu) => ({ ...gpu, usable: false })) };
    for (const machine of [unknown, divided]) {
      const made = planLoad(catalogModel("1b"), machine, { contextSize: 8192, users: 1 });
      expect(made.placement).toBe("cpu");
      expect(made.reasons.join(" ")).toContain("H100 80GB is left out");
    }
  });

  it("never spreads a model over cards of two vendors", () => {
    const made = plan("70b", "1x RTX 4090 24GB + 1x RX 7900 XTX 24GB");
    expect(made.placement).toBe("partial");
    expect(made.devices).toHaveLength(2);
  });

  it("adds what earlier loads took beyond their plan", () => {
    const usual = plan("8b", "1x H100 80GB");
    const corrected = plan("8b", "1x H100 80GB", { corrections: new Map([["gpu-0", gib]]) });
    const overhead = (made: LoadPlan) => made.devices[0]?.overheadBytes ?? 0;
    expect(overhead(corrected) - overhead(usual)).toBe(gib);
  });

  it("puts the token embedding in main memory, and a tied output on the GPU as a second copy", () => {
    const made = planLoad(file("1b", "Q8_0"), parseGpuList("1x H100 80GB"), { contextSize: 8192, users: 1 });
    const { weightsBytes = 0, inputBytes = 0 } = file("1b", "Q8_0").file ?? {};
    expect(made.devices.at(-1)).toMatchObject({ id: "cpu", weightsBytes: inputBytes });
    expect(Math.abs(sumOf(made, "weightsBytes") - weightsBytes - inputBytes)).toBeLessThan(100);
  });

  it("takes an Apple GPU's memory out of the main memory", () => {
    const machine = parseGpuList("1x Apple M2 Ultra + ram 192GB");
    const made = planLoad(catalogModel("70b"), machine, { contextSize: full, users: 1 });
    expect(made).toMatchObject({ placement: "gpu", fits: true, tier: "FP8" });
    expect(made.devices[0]?.freeBytes).toBe(144 * gib);
  });
});

describe("several users", () => {
  it("gives each a full context when there is room", () => {
    expect(plan("8b", "1x H100 80GB", { users: 3 }).slots).toEqual([{ contextSize: full, count: 3 }]);
  });

  it("else one full context and shorter ones out of the same budget, before it lowers the tier", () => {
    const made = plan("8b", "1x H100 80GB", { users: 8 });
    expect(made.tier).toBe("BF16");
    expect(made.slots).toHaveLength(2);
    expect(made.slots[0]).toEqual({ contextSize: full, count: 1 });
    expect(made.slots[1]?.count).toBe(7);
    expect(made.reasons.join(" ")).toMatch(
      /One conversation at a time can use 131,072 tokens, 7 more have [\d,]+ each/,
    );
    const kv = made.slots.reduce((sum, { contextSize, count }) => sum + contextSize * count, 0) * full;
    expect(sumOf(made, "kvCacheBytes")).toBe(kv);
  });

  it("makes equal slots for whoever needs them", () => {
    const made = plan("1b", "cpu + ram 16GB", { contextSize: 8192, users: 4, hasEqualSlots: true });
    expect(made.slots).toEqual([{ contextSize: 8192, count: 4 }]);
  });
});

describe("without a GPU", () => {
  it("gives a modest context unless more is asked for", () => {
    expect(plan("1b", "cpu + ram 16GB", { contextSize: null })).toMatchObject({ placement: "cpu", contextSize: 8192 });
    expect(plan("1b", "cpu + ram 16GB", { contextSize: 65_536 })).toMatchObject({ contextSize: 65_536, threads: 16 });
  });

  it("never gives more context than the model was trained for", () => {
    const made = plan("1b", "cpu + ram 64GB", { contextSize: 1_000_000 });
    expect(made.contextSize).toBe(full);
    expect(made.reasons.join(" ")).toContain("trained");
  });
});

it("refuses a shape no model has", () => {
  const model = catalogModel("8b");
  const absurd = { ...model, shape: { ...model.shape, heads: 2 ** 60 } };
  expect(() => planLoad(absurd, parseGpuList("1x H100 80GB"), { contextSize: null, users: 1 })).toThrow(/heads/);
});

describe("tiers", () => {
  it.each([
    ["BF16", "BF16"],
    ["F16", "BF16"],
    ["Q8_0", "FP8"],
    ["Q6_K", "FP8"],
    ["Q5_K_M", "INT4"],
    ["Q4_K_M", "INT4"],
    ["IQ4_XS", "INT4"],
    ["MXFP4", "INT4"],
  ])("%s belongs to %s", (quantization, tier) => {
    expect(tierOf(quantization)).toBe(tier);
  });

  it("says that the FP8 tier is Q8_0 here", () => {
    expect(tierLabel("Q8_0")).toBe("FP8 tier · Q8_0");
    expect(tierLabel("BF16")).toBe("BF16 · BF16");
  });
});
