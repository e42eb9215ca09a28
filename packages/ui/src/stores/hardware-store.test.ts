// @vitest-environment happy-dom
import type { HardwareSample } from "@corral/protocol";
import { afterEach, expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleHardwareSample } from "../gallery/sample-planning.ts";
import { createHardwareStore } from "./hardware-store.ts";

afterEach(() => vi.restoreAllMocks());

/** A host whose samples are counted. */
function watched() {
  let watchers = 0;
  const watch = (_input: unknown, { signal }: { signal: AbortSignal }) =>
    Promise.resolve(
      (async function* (): AsyncGenerator<HardwareSample> {
        watchers++;
        try {
          yield sampleHardwareSample;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          watchers--;
        }
      })(),
    );
  const sample = sampleConnection(false);
  const client = { ...(sample.client as object), hardware: { watch } };
  const store = createHardwareStore({ ...sample, client } as unknown as Connection);
  return { store, watchers: () => watchers };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 10));
function show(state: "visible" | "hidden"): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

test("samples come only while somebody watches and the page can be seen", async () => {
  const { store, watchers } = watched();
  show("visible");
  expect(watchers()).toBe(0);
  const stop = store.getState().watch();
  await settled();
  expect(watchers()).toBe(1);
  expect(store.getState().sample).toEqual(sampleHardwareSample);

  show("hidden");
  await settled();
  expect(watchers()).toBe(0);
  show("visible");
  await settled();
  expect(watchers()).toBe(1);

  stop();
  await settled();
  expect(watchers()).toBe(0);
  expect(store.getState().sample).toBeNull();
  show("visible");
  await settled();
  expect(watchers()).toBe(0);
});
