import type { ErrorReport, HardwareSample, HardwareSnapshot } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";
import { whileWatched } from "./while-watched.ts";

export interface HardwareState {
  /** What the host's machine has, once asked for with `read`. */
  readonly hardware: HardwareSnapshot | null;
  /** What changes from second to second, while somebody watches. */
  readonly sample: HardwareSample | null;
  readonly error: ErrorReport | null;
  /** Reads everything anew. */
  read(): Promise<void>;
  /** Follows the samples as long as the page can be seen. @returns the function that stops it */
  watch(): () => void;
}

/** The host's machine. */
export function createHardwareStore(connection: Connection): StoreApi<HardwareState> {
  const { hardware: procedures } = connection.client;

  const store = createStore<HardwareState>()((set) => ({
    hardware: null,
    sample: null,
    error: null,
    read: async () => {
      try {
        set({ hardware: await procedures.snapshot(), error: null });
      } catch (error) {
        set({ error: reportOf(error) });
      }
    },
    watch: () => {
      const stop = whileWatched(connection, readSamples);
      return () => {
        stop();
        set({ sample: null });
      };
    },
  }));

  async function readSamples(signal: AbortSignal): Promise<void> {
    try {
      await readStream(
        (stop) => procedures.watch(undefined, { signal: stop }),
        signal,
        (sample) => store.setState({ sample }),
      );
    } catch (error) {
      store.setState({ sample: null, error: reportOf(error) });
    }
  }

  return store;
}
