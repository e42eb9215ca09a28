import type { McpTool } from "../../mcp/mcp.ts";
import type { McpTools } from "../tools/tool-set.ts";

/** MCP tools that record their calls. */
export class FakeTools implements McpTools {
  readonly calls: { name: string; args: Record<string, unknown> }[] = [];
  readonly #tools: McpTool[];
  readonly #answer: (name: string, args: Record<string, unknown>, signal: AbortSignal) => Promise<string>;

  constructor(tools: Partial<McpTool>[], answer: FakeTools["answer"] = () => Promise.resolve("done")) {
    this.#tools = tools.map((tool) => ({
      name: "mail__send",
      server: "mail",
      description: "Sends a mail.",
      parameters: { type: "object", properties: { to: { type: "string" } } },
      readOnly: false,
      closedWorld: false,
      fingerprint: "first",
      ...tool,
    }));
    this.#answer = answer;
  }

  get answer() {
    return this.#answer;
  }

  tools(): McpTool[] {
    return this.#tools;
  }

  /** The tool is another from now on, as when its server was updated. */
  change(name: string, change: Partial<McpTool>): void {
    const at = this.#tools.findIndex((tool) => tool.name === name);
    this.#tools[at] = { ...this.#tools[at]!, ...change };
  }

  async call(name: string, args: Record<string, unknown>, signal: AbortSignal) {
    this.calls.push({ name, args });
    return { text: await this.#answer(name, args, signal), failed: false };
  }
}
