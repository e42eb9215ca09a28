import type { LoadPlan } from "@corral/protocol";
import { expect, it } from "vitest";
import type { Reservation } from "../hardware/memory-ledger.ts";
import { roomFor, type Resident } from "./make-room.ts";

interface Other extends Resident {
  name: string;
}

function other(name: string, given: Partial<Resident> = {}): Other {
  const reservation: Reservation = { settle: () => undefined, [Symbol.dispose]: () => undefined };
  return { name, reservation, purpose: "generate", uses: 0, lastUse: 0, loadMs: 1000, ...given };
}

/** A machine on which a model gets the context that is left, and a GPU while it is free. */
function planner(
  others: readonly Other[],
  taken: Record<string, number>,
  hasGpu: (gone: string[]) => boolean = () => true,
) {
  return (gone: readonly Reservation[]): LoadPlan => {
    const left = others.filter(({ reservation }) => !gone.includes(reservation));
    const contextSize = Math.min(8192, 10_000 - left.reduce((sum, { name }) => sum + (taken[name] ?? 0), 0));
    const names = others.filter(({ reservation }) => gone.includes(reservation)).map(({ name }) => name);
    return {
      fits: contextSize >= 1000,
      contextSize,
      placement: hasGpu(names) ? "gpu" : "cpu",
      quantization: "Q4_K_M",
      kvCacheType: "f16",
      gpuLayers: 1,
      slots: [{ contextSize, count: 1 }],
    } as LoadPlan;
  };
}

const names = (others: readonly Other[]) => others.map(({ name }) => name);

it("lets everybody stay where there is room", () => {
  const others = [other("a"), other("b")];
  const room = roomFor(planner(others, { a: 900, b: 900 }), others, 1000, false);
  expect(room).toEqual({ unload: [], mustWait: false });
});

it("lets those go first that were not used for longest, and no more than needed", () => {
  const others = [other("new", { lastUse: 900 }), other("old", { lastUse: 100 }), other("middle", { lastUse: 500 })];
  const room = roomFor(planner(others, { new: 1500, old: 1500, middle: 1500 }), others, 1000, false);
  expect(names(room.unload)).toEqual(["old", "middle"]);
});

it("keeps longer what takes longer to load", () => {
  const others = [other("slow", { lastUse: 0, loadMs: 60_000 }), other("quick", { lastUse: 500, loadMs: 1000 })];
  const room = roomFor(planner(others, { slow: 2000, quick: 2000 }), others, 1000, false);
  expect(names(room.unload)).toEqual(["quick", "slow"]);
  const enough = roomFor(planner(others, { slow: 900, quick: 1000 }), others, 1000, false);
  expect(names(enough.unload)).toEqual(["quick"]);
});

it("spares one whose memory is no help", () => {
  const others = [other("on the CPU", { lastUse: 0 }), other("on the GPU", { lastUse: 900 })];
  const plan = planner(others, {}, (gone) => gone.includes("on the GPU"));
  expect(names(roomFor(plan, others, 1000, false).unload)).toEqual(["on the GPU"]);
});

it("waits for one in use that stands in the way, and takes nobody's place for nothing", () => {
  const others = [other("busy", { uses: 1 }), other("idle")];
  const room = roomFor(planner(others, { busy: 5000, idle: 2000 }), others, 1000, false);
  expect(room).toEqual({ unload: [], mustWait: true });
});

it("takes nobody's place for a model that does not fit even alone", () => {
  const others = [other("idle")];
  const nothing = { ...planner(others, {})([]), fits: false, placement: "none" } as LoadPlan;
  expect(roomFor(() => nothing, others, 1000, false)).toEqual({ unload: [], mustWait: false });
});

it("lets one for the search take the place of another at once", () => {
  const others = [other("vectors", { purpose: "embed" })];
  expect(names(roomFor(planner(others, { vectors: 9500 }), others, 1000, true).unload)).toEqual(["vectors"]);
});

it("gives a modest model what is left, and waits for nobody on its behalf", () => {
  const others = [other("idle"), other("busy", { uses: 1 })];
  const room = (taken: Record<string, number>, now: number) => roomFor(planner(others, taken), others, now, true);
  expect(room({ idle: 4000, busy: 4000 }, 300_000).unload).toEqual([]);
  expect(names(room({ idle: 4000, busy: 5500 }, 300_000).unload)).toEqual(["idle"]);
  expect(room({ idle: 0, busy: 9500 }, 300_000)).toEqual({ unload: [], mustWait: false });
  // Somebody is still at it.
  expect(room({ idle: 4000, busy: 5500 }, 299_999)).toEqual({ unload: [], mustWait: false });
});
