// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { createEmbeddingStore } from "./embedding-store.ts";

test("the work of embedding is followed while somebody looks, and can be paused", async () => {
  const store = createEmbeddingStore(sampleConnection(false));
  expect(store.getState().embedding).toBeNull();
  const stop = store.getState().watch();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.getState().embedding).toMatchObject({ state: "embedding", embedded: 12_345 });
  await store.getState().pause(true);
  expect(store.getState().embedding?.state).toBe("paused");
  stop();
});
