import type { CorralClient, ErrorReport, TransferEvent } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

/** A collection on its way to or from a file. */
export interface Transfer {
  readonly kind: "export" | "import";
  /** Of the file, on the host's disk. */
  readonly path: string;
  /** The collection that is exported; null: it comes from the file. */
  readonly collectionId: string | null;
  /** 0..1; null: not known yet. */
  readonly progress: number | null;
  /** Set once it is there. */
  readonly done: Extract<TransferEvent, { type: "done" }> | null;
  readonly error: ErrorReport | null;
}

export interface TransferState {
  /** The last one that was asked for. */
  readonly transfer: Transfer | null;
  /** Writes a collection to a file on the host's disk. One transfer at a time: nothing happens while one runs. */
  exportCollection(
    collectionId: string,
    path: string,
    parts: { originals: boolean; vectors: boolean },
  ): Promise<Transfer | null>;
  /** Makes a collection of such a file. @param name of the collection; null: as it is in the file */
  importCollection(path: string, name: string | null): Promise<Transfer | null>;
  cancel(): void;
  dismiss(): void;
}

/** Export and import of collections. They go on while other screens are shown. */
export function createTransferStore(connection: Connection): StoreApi<TransferState> {
  const { library } = connection.client;
  let stop = new AbortController();
  const isRunning = () => {
    const { transfer } = store.getState();
    return transfer !== null && transfer.done === null && transfer.error === null;
  };

  const store = createStore<TransferState>()((set) => ({
    transfer: null,
    exportCollection: (collectionId, path, parts) =>
      run({ kind: "export", path, collectionId }, (signal) =>
        library.exportCollection({ collectionId, path, ...parts }, { signal }),
      ),
    importCollection: (path, name) =>
      run({ kind: "import", path, collectionId: null }, (signal) =>
        library.importCollection({ path, ...(name !== null && { name }) }, { signal }),
      ),
    cancel: () => {
      stop.abort();
      if (isRunning()) set({ transfer: null });
    },
    dismiss: () => {
      if (!isRunning()) set({ transfer: null });
    },
  }));

  async function run(
    what: Pick<Transfer, "kind" | "path" | "collectionId">,
    open: (signal: AbortSignal) => ReturnType<CorralClient["library"]["importCollection"]>,
  ): Promise<Transfer | null> {
    if (isRunning()) return null;
    stop = new AbortController();
    const { signal } = stop;
    const show = (change: Partial<Transfer>) => {
      const { transfer } = store.getState();
      if (transfer && !signal.aborted) store.setState({ transfer: { ...transfer, ...change } });
    };
    store.setState({ transfer: { ...what, progress: null, done: null, error: null } });
    try {
      await readStream(open, signal, (event) => {
        if (event.type === "done") show({ done: event, progress: 1 });
        else show({ progress: event.done / Math.max(1, event.total) });
      });
    } catch (error) {
      show({ error: reportOf(error) });
    }
    return signal.aborted ? null : store.getState().transfer;
  }
  return store;
}
