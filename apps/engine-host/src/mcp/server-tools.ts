import { createHash } from "node:crypto";
import type { Tool } from "@modelcontextprotocol/client";
import type { ToolServer, ToolServerSettings } from "@corral/protocol";
import type { McpTool } from "./mcp.ts";

/** Tools of one server that are taken; each costs tokens of every prompt it is on in. */
const mostTools = 128;
/** Characters of a description the model and the user get to see. */
const longestDescription = 2_000;
/** Characters of a schema as JSON. */
const longestSchema = 32_000;
/** Characters of a name every chat format and API takes. */
const longestName = 64;

/** A tool with the name its server knows it by. */
export interface ServerTool extends McpTool {
  ownName: string;
}

/** Throws, with the reason, for a tool whose schema no engine could hold a model to. */
export type CheckTool = (tool: Pick<McpTool, "name" | "description" | "parameters">) => void;

/** The tools a server lists, as far as they can be used. */
export function toolsFrom(
  listed: Tool[],
  settings: ToolServerSettings,
  check: CheckTool,
): { tools: ServerTool[]; refused: ToolServer["refused"] } {
  const tools: ServerTool[] = [];
  const refused: ToolServer["refused"] = [];
  for (const tool of listed) {
    const reason = tools.length >= mostTools ? `a server may have ${mostTools} tools` : take(tool);
    // A hostile server could list any number.
    if (reason !== null && refused.length < mostTools) refused.push({ name: tool.name.slice(0, 200), reason });
  }
  return { tools, refused };

  function take(tool: Tool): string | null {
    const room = longestName - settings.name.length - 2;
    const name = `${settings.name}__${tool.name.replace(/[^a-zA-Z0-9_-]/gu, "_").slice(0, room)}`;
    if (tools.some((other) => other.name === name)) return "another tool has this name";
    const parameters = tool.inputSchema as Record<string, unknown>;
    if (JSON.stringify(parameters).length > longestSchema) return "its schema is too long";
    const description = plain(tool.description ?? tool.title ?? "").slice(0, longestDescription);
    try {
      check({ name, description, parameters });
    } catch (error) {
      return error instanceof Error ? error.message : "its schema cannot be used";
    }
    tools.push({
      name,
      ownName: tool.name,
      server: settings.name,
      description,
      parameters,
      readOnly: tool.annotations?.readOnlyHint === true,
      closedWorld: tool.annotations?.openWorldHint === false,
      fingerprint: fingerprintOf(tool, settings),
    });
    return null;
  }
}

/** Without what no text needs: control characters, and marks that turn the direction of the text around them. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (character) =>
    /[\n\t]/u.test(character) ? character : "",
  );
}

/** Whoever is asked once about a tool was asked about exactly this one, at exactly this server. */
function fingerprintOf(
  { name, description, inputSchema, annotations }: Tool,
  { transport }: ToolServerSettings,
): string {
  const where = transport.kind === "stdio" ? [transport.command, ...transport.args] : [transport.url];
  const known = JSON.stringify([where, name, description, inputSchema, annotations]);
  return createHash("sha256").update(known).digest("hex").slice(0, 32);
}
