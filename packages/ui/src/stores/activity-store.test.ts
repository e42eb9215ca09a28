// @vitest-environment happy-dom
import type { ModelsActivity } from "@corral/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleActivity } from "../gallery/sample-serving.ts";
import { createActivityStore } from "./activity-store.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A host that tells its activity when the test says so. */
function start() {
  let tell: (activity: ModelsActivity) => void = () => undefined;
  let watchers = 0;
  const activity = (_input: unknown, { signal }: { signal: AbortSignal }) =>
    Promise.resolve(
      new ReadableStream<ModelsActivity>({
        start: (controller) => {
          watchers++;
          tell = (item) => controller.enqueue(item);
          signal.addEventListener("abort", () => {
            watchers--;
            controller.close();
          });
        },
      }),
    );
  const client = { models: { activity } };
  const store = createActivityStore({ ...sampleConnection(false), client } as unknown as Connection);
  return { store, tell: (item: ModelsActivity) => tell(item), watchers: () => watchers };
}

test("counters become rates per second; read tokens that were in the cache do not count", async () => {
  const { store, tell } = start();
  const stop = store.getState().watch();
  await vi.advanceTimersByTimeAsync(0);
  const before = sampleActivity(0);
  tell(before);
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.getState().samples).toEqual({});
  const model = before.models[0]!;
  const counters = {
    ...model.counters,
    completionTokens: model.counters.completionTokens + 40,
    promptTokens: model.counters.promptTokens + 500,
    cachedTokens: model.counters.cachedTokens + 300,
  };
  tell({ ...before, models: [{ ...model, counters }] });
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.getState().samples["llama-8b"]).toEqual([
    { at: expect.any(Number) as number, written: 40, read: 200, running: 3, queued: 2 },
  ]);
  // Nothing happens: the line goes to zero, it does not stop.
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.getState().samples["llama-8b"]!.at(-1)).toMatchObject({ written: 0, read: 0 });
  stop();
});

test("nothing is kept or asked once nobody watches, and no more than two minutes while somebody does", async () => {
  const { store, tell, watchers } = start();
  const stop = store.getState().watch();
  await vi.advanceTimersByTimeAsync(0);
  expect(watchers()).toBe(1);
  tell(sampleActivity(0));
  await vi.advanceTimersByTimeAsync(200_000);
  expect(store.getState().samples["llama-8b"]).toHaveLength(120);
  stop();
  expect(watchers()).toBe(0);
  expect(store.getState()).toMatchObject({ activity: null, samples: {} });
});
