import type { LoadPlan, PlanHardware } from "@corral/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { neededBytes } from "./placement.ts";
import { planLoad, type LoadWish } from "./plan-load.ts";
import { catalog } from "./testing/catalog.ts";

/** The same machines on each run. */
fc.configureGlobal({ seed: 20_261_124 });

const mebibyte = 2 ** 20;

/** Memory of a card, MiB. */
interface Card {
  total: number;
  free: number;
}

const card: fc.Arbitrary<Card> = fc
  .tuple(fc.integer({ min: 4000, max: 150_000 }), fc.constantFrom(1, 1, 1, 0.9, 0.5, 0.1))
  .map(([total, share]) => ({ total, free: Math.floor(total * share) }));
const cards = fc.oneof(
  fc.array(card, { maxLength: 6 }),
  fc.tuple(card, fc.integer({ min: 1, max: 10 })).map(([one, count]) => Array<Card>(count).fill(one)),
);
const ram = fc.integer({ min: 4000, max: 600_000 });
const model = fc.constantFrom(...catalog);
const context = fc.constantFrom(4096, 8192, 32_768, 65_536, 131_072);
const preference = fc.constantFrom("balanced", "quality", "speed", "longest-context" as const);

function machine(list: readonly Card[], ramMebibytes: number): PlanHardware {
  return {
    cpu: { name: "CPU", physicalCores: 16, logicalCores: 32 },
    memory: { totalBytes: ramMebibytes * mebibyte, availableBytes: ramMebibytes * mebibyte },
    gpus: list.map(({ total, free }, index) => ({
      id: `gpu-${index}`,
      index,
      name: "NVIDIA card",
      vendor: "NVIDIA",
      totalBytes: Math.floor(total * mebibyte),
      freeBytes: Math.floor(free * mebibyte),
      usable: true,
      unifiedMemory: false,
    })),
  };
}

const plain = (made: Parameters<typeof planLoad>[0], hardware: PlanHardware, wish: LoadWish) =>
  planLoad(made, hardware, wish, [], { hasAlternatives: false });

/**
 * How good a balanced plan is, by the issue's own order: fits, whole on GPUs rather than in part, the wished context (or at
 * least 32,768 tokens), the tier, and then the context.
 */
function rankOf(made: LoadPlan, wished: number): number[] {
  if (!made.fits) return [0];
  const place = { none: 0, cpu: 1, partial: 2, gpu: 3, "multi-gpu": 3 }[made.placement];
  const reached = made.contextSize >= wished ? 2 : made.contextSize >= 32_768 ? 1 : 0;
  const rungs = ["IQ4_XS q8_0", "Q4_K_M q8_0", "Q4_K_M f16", "Q8_0 q8_0", "Q8_0 f16", "BF16 q8_0", "BF16 f16"];
  const rung = reached === 0 ? 0 : rungs.indexOf(`${made.quantization} ${made.kvCacheType}`);
  return [1, place, reached, rung, made.contextSize];
}

function isWorse(one: readonly number[], other: readonly number[]): boolean {
  for (const [index, value] of other.entries()) {
    if ((one[index] ?? 0) !== value) return (one[index] ?? 0) < value;
  }
  return false;
}

describe("more memory never gives a worse plan", () => {
  /** Ways a machine gets more: [name, cards after, RAM after]. */
  const growths: [
    string,
    (list: Card[], more: Card, delta: number) => Card[],
    (ramBefore: number, delta: number) => number,
  ][] = [
    ["more RAM", (list) => list, (before, delta) => before + delta],
    ["another card", (list, more) => [...list, more], (before) => before],
    [
      "a card exchanged for a larger one",
      (list, _, delta) =>
        list.map((one, at) => (at === 0 ? { total: one.total + delta, free: one.free + delta } : one)),
      (before) => before,
    ],
    ["one card more of a kind", (list) => [...list, ...list.slice(0, 1)], (before) => before],
    [
      "each card larger by as much",
      (list, _, delta) => list.map(({ total, free }) => ({ total: total + delta, free: free + delta })),
      (before) => before,
    ],
    [
      "each card larger by a share",
      (list, _, delta) => {
        const factor = 1 + delta / 20_000;
        return list.map(({ total, free }) => ({ total: total * factor, free: free * factor }));
      },
      (before) => before,
    ],
    ["other programs end", (list) => list.map(({ total }) => ({ total, free: total })), (before) => before],
  ];
  it.each(growths)("%s", (_, grow, growRam) => {
    fc.assert(
      fc.property(
        cards,
        ram,
        card,
        fc.integer({ min: 1, max: 20_000 }),
        model,
        context,
        (list, size, more, delta, one, wished) => {
          const wish = { contextSize: wished, users: 1 };
          const before = plain(one, machine(list, size), wish);
          const after = plain(one, machine(grow([...list], more, delta), growRam(size, delta)), wish);
          expect(isWorse(rankOf(after, wished), rankOf(before, wished))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it("a shorter context never needs more, and fits wherever a longer one does", () => {
  fc.assert(
    fc.property(
      cards,
      ram,
      model,
      fc.constantFrom("BF16", "Q8_0", "Q4_K_M", "IQ4_XS"),
      fc.constantFrom("f16", "q8_0" as const),
      fc.tuple(fc.integer({ min: 1, max: 131_072 }), fc.integer({ min: 1, max: 131_072 })),
      (list, size, one, quantization, kvCacheType, [a, b]) => {
        const planned = (contextSize: number) =>
          plain(one, machine(list, size), {
            contextSize: null,
            users: 1,
            pins: { quantization, kvCacheType, contextSize },
          });
        const short = planned(Math.min(a, b));
        const long = planned(Math.max(a, b));
        if (long.fits) expect(short.fits).toBe(true);
        const needs = ({ devices }: LoadPlan) =>
          devices.reduce((sum, device) => sum + neededBytes(device) - device.reserveBytes, 0);
        if (long.fits && short.placement === long.placement) expect(needs(short)).toBeLessThanOrEqual(needs(long));
        if (!short.fits) expect(long.missingBytes).toBeGreaterThanOrEqual(short.missingBytes);
      },
    ),
    { numRuns: 300 },
  );
});

it("the parts add up: every layer and every token of cache lies somewhere, and no device is over its free memory", () => {
  fc.assert(
    fc.property(
      cards,
      ram,
      model,
      context,
      fc.integer({ min: 1, max: 16 }),
      preference,
      (list, size, one, wished, users, order) => {
        const hardware = machine(list, size);
        const made = planLoad(one, hardware, { contextSize: wished, users, preference: order });
        const short = made.devices.map((device) => Math.max(0, neededBytes(device) - device.freeBytes));
        expect(short.reduce((sum, bytes) => sum + bytes, 0)).toBe(made.missingBytes);
        expect(made.fits).toBe(made.missingBytes === 0);
        expect(made.placement === "none").toBe(!made.fits);

        const { layers, keyValueHeads, keyLength, valueLength, trainContextSize } = one.shape;
        const perToken =
          layers * keyValueHeads * (keyLength + valueLength) * (made.kvCacheType === "f16" ? 2 : 34 / 32);
        const tokens = made.slots.reduce((sum, slot) => sum + Math.ceil(slot.contextSize / 256) * 256 * slot.count, 0);
        const kv = made.devices.reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
        expect(Math.abs(kv - tokens * perToken)).toBeLessThan(100);
        expect(made.slots.reduce((sum, { count }) => sum + count, 0)).toBe(users);
        expect(made.contextSize).toBe(made.slots[0]?.contextSize);
        expect(made.contextSize).toBeLessThanOrEqual(trainContextSize);

        for (const device of made.devices) {
          expect(device.usedByOthersBytes).toBe(device.totalBytes - device.freeBytes);
          for (const part of Object.values(device))
            if (typeof part === "number") expect(part).toBeGreaterThanOrEqual(0);
        }
        const { decodeTokensPerSecond: decode, prefillTokensPerSecond: prefill, loadSeconds } = made.estimate;
        for (const { low, high } of [decode, prefill])
          expect(low > 0 && low <= high && Number.isFinite(high)).toBe(true);
        expect(loadSeconds).toBeGreaterThan(0);
        for (const other of made.alternatives) expect(other.fits).toBe(other.missingBytes === 0);
      },
    ),
    { numRuns: 400 },
  );
});

it("permuting equal cards changes nothing, and permuting any only their order", () => {
  const shuffled = fc.array(card, { minLength: 2, maxLength: 6 }).chain((list) =>
    fc.record({
      list: fc.constant(list),
      order: fc.shuffledSubarray(
        list.map((_, at) => at),
        { minLength: list.length },
      ),
    }),
  );
  fc.assert(
    fc.property(shuffled, ram, model, context, ({ list, order }, size, one, wished) => {
      const wish = { contextSize: wished, users: 1 };
      const anonymous = ({ devices, ...rest }: LoadPlan) => ({
        ...rest,
        devices: devices.map((device) => ({ ...device, id: "" })),
      });
      const made = plain(one, machine(list, size), wish);
      const permuted = plain(
        one,
        machine(
          order.map((at) => list[at]!),
          size,
        ),
        wish,
      );
      expect(anonymous(permuted)).toEqual(anonymous(made));
    }),
    { numRuns: 200 },
  );
});
