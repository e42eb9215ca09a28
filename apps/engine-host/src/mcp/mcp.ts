import type { ToolServer, ToolServerSettings } from "@corral/protocol";

/** A tool of an MCP server. Everything but its names is the server's word: shown, given to the model, never believed. */
export interface McpTool {
  /** As the model calls it: `SERVER__TOOL`, in letters every chat format takes. Unique. */
  name: string;
  server: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
  /** readOnlyHint: it changes nothing. */
  readOnly: boolean;
  /** openWorldHint false: it deals with nothing outside of the server's own domain. */
  closedWorld: boolean;
  /** Of the server's settings and the tool's definition. */
  fingerprint: string;
}

/** The MCP servers of this host: their settings, processes, connections and tools. */
export interface McpServers extends AsyncDisposable {
  list(): ToolServer[];
  /** The list now and after each change, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<ToolServer[]>;
  /** @throws CorralError TOOL_SERVER_EXISTS, OUTSIDE_ADDRESS, INVALID_INPUT */
  add(settings: ToolServerSettings): Promise<ToolServer>;
  /** @throws CorralError TOOL_SERVER_NOT_FOUND, TOOL_SERVER_EXISTS, OUTSIDE_ADDRESS, INVALID_INPUT */
  change(server: string, settings: ToolServerSettings): Promise<ToolServer>;
  /** @throws CorralError TOOL_SERVER_NOT_FOUND */
  remove(server: string): Promise<void>;
  /** Ends its connection and makes a new one; answers when that is ready or failed. @throws TOOL_SERVER_NOT_FOUND */
  restart(server: string): Promise<ToolServer>;
  /** Tools of the servers that are ready. */
  tools(): McpTool[];
  /**
   * Calls a tool. A server that stopped is started once more first.
   * @throws CorralError TOOL_SERVER_NOT_FOUND (no such tool), TOOL_SERVER_FAILED (crashed, took too long, answered with an
   * error of the protocol), CANCELLED
   */
  call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<{ text: string; failed: boolean }>;
}
