import type { ErrorReport, LoadPlan, ModelSummary } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { fileNotOnDisk, reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

export interface ModelsState {
  readonly models: readonly ModelSummary[];
  readonly loaded: boolean;
  /** How each model would be loaded here, once asked for with `planFor`. */
  readonly plans: Readonly<Record<string, LoadPlan>>;
  /** What went wrong with one model (by id); "" for adding a file. */
  readonly errors: Readonly<Record<string, ErrorReport>>;
  readonly adding: boolean;
  /** Registers a GGUF file that lies on the host's disk. @returns whether it was added; else see `errors[""]` */
  add(path: string): Promise<boolean>;
  /** The same for a file that was dropped (desktop only: elsewhere the file is on another machine). */
  addDropped(file: File): Promise<boolean>;
  /** Forgets a model; its file stays. */
  remove(model: string): Promise<void>;
  load(model: string): Promise<void>;
  unload(model: string): Promise<void>;
  planFor(model: string): Promise<void>;
  dismissError(model: string): void;
}

/** Where errors of adding a file are kept. */
const ADDING = "";

/** The models on the host, kept up to date by it. */
export function createModelsStore(connection: Connection): StoreApi<ModelsState> {
  const { models: procedures } = connection.client;

  const store = createStore<ModelsState>()((set, get) => ({
    models: [],
    loaded: false,
    plans: {},
    errors: {},
    adding: false,
    add: async (path) => {
      set({ adding: true });
      await report(ADDING, () => procedures.add({ path }));
      set({ adding: false });
      return !get().errors[ADDING];
    },
    addDropped: async (file) => {
      const path = connection.files.kind === "paths" ? connection.files.pathOf(file) : "";
      if (path) return get().add(path);
      set(({ errors }) => ({ errors: { ...errors, [ADDING]: reportOf(fileNotOnDisk(file.name)) } }));
      return false;
    },
    remove: (model) => report(model, () => procedures.remove({ model })),
    load: (model) => report(model, () => procedures.load({ model })),
    unload: (model) => report(model, () => procedures.unload({ model })),
    planFor: (model) =>
      report(model, async () => {
        const plan = await procedures.plan({ model });
        set(({ plans }) => ({ plans: { ...plans, [model]: plan } }));
      }),
    dismissError: (model) => set(({ errors }) => ({ errors: without(errors, model) })),
  }));

  async function report(model: string, work: () => Promise<unknown>): Promise<void> {
    store.getState().dismissError(model);
    try {
      await work();
    } catch (error) {
      store.setState(({ errors }) => ({ errors: { ...errors, [model]: reportOf(error) } }));
    }
  }

  connection.whileReady((signal) =>
    report(ADDING, async () => {
      await readStream(
        (stop) => procedures.watch(undefined, { signal: stop }),
        signal,
        (models) => store.setState({ models, loaded: true }),
      );
    }),
  );
  return store;
}

function without<Value>(record: Readonly<Record<string, Value>>, key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
