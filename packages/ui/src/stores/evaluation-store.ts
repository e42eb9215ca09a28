import { evaluationFileLimit, type ErrorReport, type EvaluationResult } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

/** Bytes of a file of questions or judgements that the host takes for sure. */
export const fileLimit = evaluationFileLimit;

/** Questions asked of one collection, under way or done. */
export interface EvaluationRun {
  readonly id: number;
  readonly collectionId: string;
  /** Names of the two files. */
  readonly queries: string;
  readonly judgements: string;
  /** ISO time. */
  readonly startedAt: string;
  /** Questions asked, of all; null: models are being prepared. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly result: EvaluationResult | null;
  readonly error: ErrorReport | null;
}

export interface EvaluationState {
  /** Latest first, for as long as the page is open. */
  readonly runs: readonly EvaluationRun[];
  /** Asks the questions of the files. One run at a time: nothing happens while one is under way. */
  run(collectionId: string, queries: File, judgements: File): Promise<void>;
  /** Stops the run and forgets it. */
  cancel(): void;
  remove(run: number): void;
}

/** Measuring how well collections answer questions with known answers. */
export function createEvaluationStore(connection: Connection): StoreApi<EvaluationState> {
  const { library } = connection.client;
  let stop = new AbortController();
  let count = 0;

  const store = createStore<EvaluationState>()((set, get) => ({
    runs: [],
    run: async (collectionId, queries, judgements) => {
      if (get().runs.some(isRunning)) return;
      stop = new AbortController();
      const { signal } = stop;
      const id = ++count;
      const show = (change: Partial<EvaluationRun>) =>
        set(({ runs }) => ({ runs: runs.map((run) => (run.id === id ? { ...run, ...change } : run)) }));
      const started: EvaluationRun = {
        id,
        collectionId,
        queries: queries.name,
        judgements: judgements.name,
        startedAt: new Date().toISOString(),
        progress: null,
        result: null,
        error: null,
      };
      set(({ runs }) => ({ runs: [started, ...runs] }));
      try {
        const files = { queries: await read(queries), judgements: await read(judgements) };
        await readStream(
          (until) => library.evaluate({ collectionId, ...files }, { signal: until }),
          signal,
          (event) => {
            if (event.type === "progress") show({ progress: { done: event.done, total: event.total } });
            if (event.type === "done") show({ result: event.result });
          },
        );
      } catch (error) {
        show({ error: reportOf(error) });
      }
    },
    cancel: () => {
      stop.abort();
      set(({ runs }) => ({ runs: runs.filter((run) => !isRunning(run)) }));
    },
    remove: (run) => set(({ runs }) => ({ runs: runs.filter(({ id }) => id !== run) })),
  }));
  return store;
}

/** Whether a run is under way. */
export function isRunning({ result, error }: EvaluationRun): boolean {
  return result === null && error === null;
}

async function read(file: File): Promise<{ name: string; content: string }> {
  return { name: file.name, content: await file.text() };
}
