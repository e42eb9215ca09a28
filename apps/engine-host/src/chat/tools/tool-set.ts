import type { ConversationSettings, ToolDescription } from "@corral/protocol";
import type { McpServers } from "../../mcp/mcp.ts";
import { calculator } from "./calculator.ts";
import { currentTime } from "./current-time.ts";
import { mcpTool } from "./mcp-tool.ts";
import { searchDocuments } from "./search-documents.ts";
import type { Tool } from "./tool.ts";

/** Where MCP servers' tools come from. */
export type McpTools = Pick<McpServers, "tools" | "call">;

const ownTools = [searchDocuments, calculator, currentTime];

function allTools(servers: McpTools): Tool[] {
  return [...ownTools, ...servers.tools().map((tool) => mcpTool(tool, servers))];
}

/** The tools the model may call in a conversation: those switched on that are there. */
export function toolsOf({ tools }: Pick<ConversationSettings, "tools">, servers: McpTools): Tool[] {
  return allTools(servers).filter(({ definition }) => tools.enabled.includes(definition.name));
}

/** What can be switched on. */
export function describeTools(servers: McpTools): ToolDescription[] {
  return allTools(servers).map(({ definition, server, harmless }) => ({ ...definition, server, readOnly: harmless }));
}
