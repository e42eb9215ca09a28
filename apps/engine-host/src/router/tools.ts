import { procedure, signalOf, stream } from "./procedure.ts";

const area = procedure.tools;

export const tools = {
  list: area.list.handler(({ context }) => context.services.chat.tools()),
  servers: area.servers.handler(({ context }) => context.services.mcp.list()),
  watchServers: area.watchServers.handler(({ context, signal }) =>
    stream(context.services.mcp.watch(signalOf(signal))),
  ),
  addServer: area.addServer.handler(({ input, context }) => context.services.mcp.add(input)),
  changeServer: area.changeServer.handler(({ input, context }) =>
    context.services.mcp.change(input.server, input.settings),
  ),
  removeServer: area.removeServer.handler(({ input, context }) => context.services.mcp.remove(input.server)),
  restartServer: area.restartServer.handler(({ input, context }) => context.services.mcp.restart(input.server)),
};
