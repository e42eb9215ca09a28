import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection, ConnectionState } from "../connection/connection.ts";

export interface ConnectionStoreState {
  readonly connection: ConnectionState;
  /** "paths": files are read in place on this machine. "upload": their bytes are sent. */
  readonly fileTransfer: "paths" | "upload";
  retryNow(): void;
  enterKey(key: string): void;
}

/** How the page stands with the host. */
export function createConnectionStore(connection: Connection): StoreApi<ConnectionStoreState> {
  const store = createStore<ConnectionStoreState>()(() => ({
    connection: connection.state(),
    fileTransfer: connection.files.kind,
    retryNow: () => connection.retryNow(),
    enterKey: (key) => connection.enterKey(key),
  }));
  connection.subscribe((state) => store.setState({ connection: state }));
  return store;
}
