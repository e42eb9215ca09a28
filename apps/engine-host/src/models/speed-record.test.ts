import type { LoadPlan } from "@corral/protocol";
import { expect, it } from "vitest";
import { catalogModel } from "../planning/testing/catalog.ts";
import { parseGpuList } from "../planning/gpu-list.ts";
import { planLoad } from "../planning/plan-load.ts";
import { SpeedRecord } from "./speed-record.ts";
import { memorySettings } from "./testing/memory-settings.ts";

function planOn(machine: string): LoadPlan {
  return planLoad(catalogModel("8b"), parseGpuList(machine), { contextSize: 8192, users: 1 });
}

const reply = { promptTokens: 1100, cachedTokens: 100, completionTokens: 101, prefillMs: 500, decodeMs: 2000 };

it("puts what was measured in the place of the estimate, for the same model on the same devices only", async () => {
  const speeds = new SpeedRecord(memorySettings());
  const plan = planOn("1x H100 80GB");
  expect(await speeds.apply(plan)).toEqual(plan);
  await speeds.note(plan, 12_345, reply);
  expect((await speeds.apply(plan)).estimate).toEqual({
    decodeTokensPerSecond: { low: 50, high: 50 },
    prefillTokensPerSecond: { low: 2000, high: 2000 },
    loadSeconds: 12.3,
    measured: true,
  });
  const other = planOn("1x A100 80GB");
  expect(await speeds.apply(other)).toEqual(other);
});

it("learns nothing from a reply of a few words, and keeps what it knows", async () => {
  const speeds = new SpeedRecord(memorySettings());
  const plan = planOn("1x H100 80GB");
  const short = { ...reply, promptTokens: 8, cachedTokens: 0, completionTokens: 5 };
  await speeds.note(plan, 1000, short);
  expect((await speeds.apply(plan)).estimate.measured).toBeUndefined();
  await speeds.note(plan, 1000, reply);
  await speeds.note(plan, 2000, { ...short, completionTokens: 101, decodeMs: 1000 });
  expect((await speeds.apply(plan)).estimate).toMatchObject({
    decodeTokensPerSecond: { low: 100, high: 100 },
    prefillTokensPerSecond: { low: 2000, high: 2000 },
  });
});
