/** Opens the MCP server whose program is its argument, prints the server's process id, and waits to be killed. */
import { openLogger } from "../../logger.ts";
import { createMcpServers } from "../create-mcp-servers.ts";
import { memorySettings } from "./memory-settings.ts";

const logger = openLogger({ directory: null, stderr: null });
const servers = await createMcpServers({ settings: memorySettings(), checkTool: () => undefined, logger });
await servers.add({
  name: "notes",
  enabled: true,
  transport: { kind: "stdio", command: process.execPath, args: [process.argv[2]!], env: {} },
  timeoutMs: 20_000,
});
await servers.restart("notes");
const { text } = await servers.call("notes__environment", {}, new AbortController().signal);
process.stdout.write(`${(JSON.parse(text) as { pid: number }).pid}\n`);
setInterval(() => {}, 1000);
