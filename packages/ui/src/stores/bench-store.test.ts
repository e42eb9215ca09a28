import type { BenchEvent } from "@corral/protocol";
import { expect, test } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleBench } from "../gallery/sample-serving.ts";
import { createBenchStore } from "./bench-store.ts";

const earlier = { ...sampleBench, measuredAt: "2024-12-31T00:00:00Z" };

function start(events: (signal: AbortSignal) => AsyncGenerator<BenchEvent>) {
  const client = {
    bench: {
      reports: () => Promise.resolve([earlier]),
      run: (_input: unknown, { signal }: { signal: AbortSignal }) => Promise.resolve(events(signal)),
    },
  };
  return createBenchStore({ ...sampleConnection(false), client } as unknown as Connection);
}

test("a measurement shows its steps and ends above the earlier ones", async () => {
  const steps: unknown[] = [];
  const store = start(async function* () {
    yield { type: "progress", done: 2, total: 9, step: "decode" };
    steps.push(store.getState().progress);
    await Promise.resolve();
    yield { type: "report", report: sampleBench };
  });
  await store.getState().read();
  await store.getState().run("llama-8b");
  expect(steps).toEqual([{ step: "decode", done: 2, total: 9 }]);
  expect(store.getState()).toMatchObject({ reports: [sampleBench, earlier], progress: null, error: null });
});

test("a measurement that is stopped leaves no report and no error", async () => {
  const store = start(async function* (signal) {
    yield { type: "progress", done: 0, total: 9, step: "load" };
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  });
  await store.getState().read();
  const running = store.getState().run(null);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.getState().progress).not.toBeNull();
  store.getState().cancel();
  await running;
  expect(store.getState()).toMatchObject({ reports: [earlier], progress: null, error: null });
});
