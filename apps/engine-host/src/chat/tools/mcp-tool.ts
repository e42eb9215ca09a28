import type { McpServers, McpTool } from "../../mcp/mcp.ts";
import type { Tool } from "./tool.ts";

/** A tool of an MCP server. Whatever the server says about it, it is the user who lets it run. */
export function mcpTool(tool: McpTool, servers: Pick<McpServers, "call">): Tool {
  const { name, server, description, parameters, fingerprint, readOnly, closedWorld } = tool;
  return {
    // A server's schema may say anything; its arguments are checked by the server.
    definition: { name, description, parameters, strict: false },
    server,
    harmless: readOnly && closedWorld,
    bringsText: true,
    fingerprint,
    run: (args, { signal }) => servers.call(name, args, signal),
  };
}
