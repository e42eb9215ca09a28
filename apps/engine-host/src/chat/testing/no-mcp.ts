import type { McpTools } from "../tools/tool-set.ts";

/** A host without MCP servers. */
export const noMcp: McpTools = {
  tools: () => [],
  call: () => Promise.reject(new Error("There is no MCP server here.")),
};
