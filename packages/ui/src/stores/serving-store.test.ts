import { ORPCError } from "@orpc/client";
import { expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleServing } from "../gallery/sample-serving.ts";
import { createServingStore } from "./serving-store.ts";

const configure = vi.fn();
const client = {
  models: { settings: () => Promise.resolve(sampleServing), configure },
  system: { access: () => Promise.resolve({ address: null, key: "k" }) },
};
const start = () => createServingStore({ ...sampleConnection(false), client } as unknown as Connection);

test("settings and access are read; a change shows what the host made of it", async () => {
  const store = start();
  await store.getState().read();
  expect(store.getState()).toMatchObject({ settings: sampleServing, access: { address: null, key: "k" }, error: null });
  configure.mockResolvedValueOnce({ ...sampleServing, queueLimit: 7 });
  expect(await store.getState().change({ queueLimit: 7 })).toBe(true);
  expect(configure).toHaveBeenCalledWith({ queueLimit: 7 });
  expect(store.getState()).toMatchObject({ settings: { queueLimit: 7 }, saving: false });
});

test("a change that is refused leaves the settings and says why", async () => {
  const store = start();
  await store.getState().read();
  const message = "It cannot embed; choose an embedding model.";
  configure.mockRejectedValueOnce(new ORPCError("INVALID_INPUT", { defined: true, message }));
  expect(await store.getState().change({ embeddingModel: "reader" })).toBe(false);
  expect(store.getState()).toMatchObject({ settings: sampleServing, saving: false, error: { message } });
  store.getState().dismissError();
  expect(store.getState().error).toBeNull();
});
