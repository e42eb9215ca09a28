import type { BenchReport, ErrorReport } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

export interface BenchState {
  /** Kept by the host, newest first; null until they are known. */
  readonly reports: readonly BenchReport[] | null;
  /** How far a measurement is; null: none is under way. `step` is what is being measured. */
  readonly progress: { readonly step: string; readonly done: number; readonly total: number } | null;
  readonly error: ErrorReport | null;
  read(): Promise<void>;
  /** Measures a model; null: the default one. Nothing happens while a measurement is under way. */
  run(model: string | null): Promise<void>;
  cancel(): void;
  dismissError(): void;
}

/** How fast models run on the host, as measured. */
export function createBenchStore(connection: Connection): StoreApi<BenchState> {
  const { bench } = connection.client;
  let stop = new AbortController();
  return createStore<BenchState>()((set, get) => ({
    reports: null,
    progress: null,
    error: null,
    read: async () => {
      try {
        set({ reports: await bench.reports(), error: null });
      } catch (error) {
        set({ error: reportOf(error) });
      }
    },
    run: async (model) => {
      if (get().progress) return;
      stop = new AbortController();
      set({ progress: { step: "load", done: 0, total: 1 }, error: null });
      try {
        await readStream(
          (signal) => bench.run({ model }, { signal }),
          stop.signal,
          (event) => {
            if (event.type === "report") set(({ reports }) => ({ reports: [event.report, ...(reports ?? [])] }));
            else set({ progress: { step: event.step, done: event.done, total: event.total } });
          },
        );
      } catch (error) {
        set({ error: reportOf(error) });
      } finally {
        set({ progress: null });
      }
    },
    cancel: () => stop.abort(),
    dismissError: () => set({ error: null }),
  }));
}
