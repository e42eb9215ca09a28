import type { ErrorReport, ProgramAccess, ServingChanges, ServingSettings } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";

export interface ServingState {
  /** How models are served; null until it is known. */
  readonly settings: ServingSettings | null;
  /** How other programs reach the host; null until it is known. */
  readonly access: ProgramAccess | null;
  readonly saving: boolean;
  readonly error: ErrorReport | null;
  /** Asks the host for both. */
  read(): Promise<void>;
  /** Changes the given settings only. @returns whether the host took them */
  change(changes: ServingChanges): Promise<boolean>;
  dismissError(): void;
}

/** How this host serves models, and to whom. */
export function createServingStore(connection: Connection): StoreApi<ServingState> {
  const { models, system } = connection.client;
  return createStore<ServingState>()((set) => ({
    settings: null,
    access: null,
    saving: false,
    error: null,
    read: async () => {
      try {
        const [settings, access] = await Promise.all([models.settings(), system.access()]);
        set({ settings, access, error: null });
      } catch (error) {
        set({ error: reportOf(error) });
      }
    },
    change: async (changes) => {
      set({ saving: true });
      try {
        set({ settings: await models.configure(changes), error: null });
        return true;
      } catch (error) {
        set({ error: reportOf(error) });
        return false;
      } finally {
        set({ saving: false });
      }
    },
    dismissError: () => set({ error: null }),
  }));
}
