import type { TransferEvent } from "@corral/protocol";
import { expect, test, vi } from "vitest";
import type { Connection } from "../connection/connection.ts";
import { sampleConnection } from "../gallery/sample-connection.ts";
import { sampleCollections } from "../gallery/sample-library.ts";
import { createTransferStore } from "./transfer-store.ts";

const done: TransferEvent = {
  type: "done",
  collection: sampleCollections[0]!,
  documents: 3,
  bytes: 1000,
  withoutOriginal: 0,
};

/** A host whose transfers end when the test says so. */
function start() {
  const finish: (() => void)[] = [];
  const calls: unknown[] = [];
  const signals: AbortSignal[] = [];
  const transfer = (input: unknown, { signal }: { signal: AbortSignal }) => {
    calls.push(input);
    signals.push(signal);
    return Promise.resolve(
      (async function* (): AsyncGenerator<TransferEvent> {
        yield { type: "progress", done: 1, total: 4 };
        await new Promise<void>((resolve) => finish.push(resolve));
        yield done;
      })(),
    );
  };
  const client = { library: { exportCollection: transfer, importCollection: transfer } };
  const store = createTransferStore({ ...sampleConnection(false), client } as unknown as Connection);
  const underWay = () => vi.waitFor(() => expect(store.getState().transfer?.progress).toBe(0.25));
  return { store, calls, signals, finish, underWay };
}

test("an export tells how far it is, one at a time, and what it wrote", async () => {
  const { store, calls, finish, underWay } = start();
  const parts = { originals: true, vectors: false };
  const running = store.getState().exportCollection("c1", "/out.corral", parts);
  await underWay();
  expect(await store.getState().importCollection("/other.corral", null)).toBeNull();
  store.getState().dismiss();
  expect(store.getState().transfer).not.toBeNull();
  finish[0]!();
  expect(await running).toMatchObject({ kind: "export", done });
  expect(calls).toEqual([{ collectionId: "c1", path: "/out.corral", ...parts }]);
  store.getState().dismiss();
  expect(store.getState().transfer).toBeNull();
});

test("an import that is stopped ends on the host and leaves nothing to look at", async () => {
  const { store, calls, signals, finish, underWay } = start();
  const running = store.getState().importCollection("/in.corral", "Again");
  await underWay();
  store.getState().cancel();
  expect(signals[0]!.aborted).toBe(true);
  finish[0]!();
  expect(await running).toBeNull();
  expect(store.getState().transfer).toBeNull();
  expect(calls).toEqual([{ path: "/in.corral", name: "Again" }]);
});
