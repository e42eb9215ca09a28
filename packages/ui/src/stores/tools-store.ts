import type { ErrorReport, ToolDescription, ToolServer, ToolServerSettings } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";

export interface ToolsState {
  /** MCP servers of the host. */
  readonly servers: readonly ToolServer[];
  readonly loaded: boolean;
  /** What can be switched on for a conversation; null until it is known. */
  readonly tools: readonly ToolDescription[] | null;
  /** What went wrong with the last action. */
  readonly error: ErrorReport | null;
  /** @param server the name of the one to change; null adds one @returns why it was refused, or null */
  save(settings: ToolServerSettings, server: string | null): Promise<ErrorReport | null>;
  setEnabled(server: ToolServer, enabled: boolean): Promise<void>;
  restart(server: string): Promise<void>;
  remove(server: string): Promise<void>;
  dismissError(): void;
}

/** The tools there are and the MCP servers they come from, kept up to date by the host. */
export function createToolsStore(connection: Connection): StoreApi<ToolsState> {
  const { tools: procedures } = connection.client;

  const store = createStore<ToolsState>()((set, get) => ({
    servers: [],
    loaded: false,
    tools: null,
    error: null,
    save: async (settings, server) => {
      try {
        await (server === null ? procedures.addServer(settings) : procedures.changeServer({ server, settings }));
        return null;
      } catch (error) {
        return reportOf(error);
      }
    },
    setEnabled: async ({ settings }, enabled) =>
      set({ error: await get().save({ ...settings, enabled }, settings.name) }),
    restart: (server) => report(() => procedures.restartServer({ server })),
    remove: (server) => report(() => procedures.removeServer({ server })),
    dismissError: () => set({ error: null }),
  }));

  async function report(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      store.setState({ error: null });
    } catch (error) {
      store.setState({ error: reportOf(error) });
    }
  }

  connection.whileReady((signal) =>
    report(async () => {
      await readStream(
        (stop) => procedures.watchServers(undefined, { signal: stop }),
        signal,
        (servers) => {
          store.setState({ servers, loaded: true });
          // Which tools there are depends on the servers.
          void report(async () => store.setState({ tools: await procedures.list() }));
        },
      );
    }),
  );
  return store;
}
