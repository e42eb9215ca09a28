import type { EmbeddingState, ErrorReport } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";
import { whileWatched } from "./while-watched.ts";

export interface EmbeddingStoreState {
  /** How far embedding the passages is, while somebody watches. */
  readonly embedding: EmbeddingState | null;
  readonly error: ErrorReport | null;
  /** @returns the function that stops it */
  watch(): () => void;
  pause(paused: boolean): Promise<void>;
}

/** The host's work of embedding all passages, so that they are found by meaning. */
export function createEmbeddingStore(connection: Connection): StoreApi<EmbeddingStoreState> {
  const { library } = connection.client;
  const store = createStore<EmbeddingStoreState>()((set) => ({
    embedding: null,
    error: null,
    watch: () => whileWatched(connection, follow),
    pause: async (paused) => {
      try {
        set({ embedding: await library.pauseEmbedding({ paused }), error: null });
      } catch (error) {
        set({ error: reportOf(error) });
      }
    },
  }));

  async function follow(signal: AbortSignal): Promise<void> {
    try {
      await readStream(
        (stop) => library.embedding(undefined, { signal: stop }),
        signal,
        (embedding) => store.setState({ embedding, error: null }),
      );
    } catch (error) {
      store.setState({ error: reportOf(error) });
    }
  }
  return store;
}
