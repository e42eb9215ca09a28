import { CorralError, type ToolServer, type ToolServerSettings } from "@corral/protocol";
import type { Logger } from "../logger.ts";
import type { SettingsTable } from "../store/store.ts";
import type { McpServers } from "./mcp.ts";
import { ServerConnection } from "./server-connection.ts";
import type { CheckTool } from "./server-tools.ts";
import { completed, readServers, writeServers } from "./server-settings.ts";

/**
 * Reads the servers' settings and starts those that are switched on, in the background.
 * Neither names of variables nor values, arguments or results are logged: they are the user's.
 */
export async function createMcpServers(parts: {
  settings: SettingsTable;
  checkTool: CheckTool;
  logger: Logger;
}): Promise<McpServers> {
  const { settings: table, checkTool, logger } = parts;
  const servers = new Map<string, ServerConnection>();
  const watchers = new Set<() => void>();
  /** Changes happen one after the other, so that none is lost. */
  let changing: Promise<unknown> = Promise.resolve();

  const announce = () => watchers.forEach((wake) => wake());
  const list = () => [...servers.values()].map(({ description }) => description);

  function open(settings: ToolServerSettings): ServerConnection {
    const server = new ServerConnection(settings, checkTool, announce);
    servers.set(settings.name, server);
    void server.start().then(() => {
      if (server.description.state === "failed") logger.warn("tool-server-failed", { server: settings.name });
    });
    return server;
  }

  function existing(name: string): ServerConnection {
    const server = servers.get(name);
    if (server !== undefined) return server;
    throw new CorralError("TOOL_SERVER_NOT_FOUND", `There is no tool server ${name}.`, { server: name });
  }

  function inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const next = changing.then(change);
    changing = next.catch(() => undefined);
    return next;
  }

  const refuseTaken = (name: string) => {
    if (!servers.has(name)) return;
    throw new CorralError("TOOL_SERVER_EXISTS", `There is a tool server ${name} already: choose another name.`, {
      server: name,
    });
  };
  const save = () =>
    writeServers(
      table,
      [...servers.values()].map(({ settings }) => settings),
    );

  for (const settings of await readServers(table)) open(settings);

  return {
    list,

    async *watch(signal) {
      let wake: () => void = () => {};
      let changed = true;
      const watcher = () => {
        changed = true;
        wake();
      };
      watchers.add(watcher);
      signal.addEventListener("abort", watcher);
      try {
        while (!signal.aborted) {
          if (changed) {
            changed = false;
            yield list();
          } else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        watchers.delete(watcher);
        signal.removeEventListener("abort", watcher);
      }
    },

    add: (given) =>
      inTurn(async () => {
        refuseTaken(given.name);
        const server = open(completed(given, null));
        await save();
        announce();
        return server.description;
      }),

    change: (name, given) =>
      inTurn(async () => {
        const before = existing(name);
        if (given.name !== name) refuseTaken(given.name);
        const settings = completed(given, before.settings);
        await before[Symbol.asyncDispose]();
        servers.delete(name);
        const server = open(settings);
        await save();
        announce();
        return server.description;
      }),

    remove: (name) =>
      inTurn(async () => {
        const server = existing(name);
        servers.delete(name);
        await save();
        await server[Symbol.asyncDispose]();
        announce();
      }),

    restart: (name) =>
      inTurn(async (): Promise<ToolServer> => {
        const before = existing(name);
        await before[Symbol.asyncDispose]();
        const server = open(before.settings);
        await server.start();
        return server.description;
      }),

    tools: () => [...servers.values()].flatMap(({ tools }) => tools),

    async call(name, args, signal) {
      for (const server of servers.values()) {
        const tool = server.tools.find((one) => one.name === name);
        if (tool !== undefined) return server.call(tool, args, signal);
      }
      throw new CorralError("TOOL_SERVER_NOT_FOUND", `There is no tool ${name} any more.`, { server: name });
    },

    async [Symbol.asyncDispose]() {
      await changing;
      await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
