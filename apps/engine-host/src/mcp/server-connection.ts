import { Client, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import { CorralError, type ErrorReport, type ToolServer, type ToolServerSettings } from "@corral/protocol";
import { resultText } from "./result-text.ts";
import { withoutSecrets } from "./server-settings.ts";
import { toolsFrom, type CheckTool, type ServerTool } from "./server-tools.ts";
import { linkTo, type ServerLink } from "./transports.ts";

/** Longest time a server has to start, to greet and to list its tools, ms. */
const startLimitMs = 30_000;

/** One MCP server: its process or address, and what it offers. Whoever opened it closes it. */
export class ServerConnection implements AsyncDisposable {
  readonly settings: ToolServerSettings;
  readonly #checkTool: CheckTool;
  readonly #onChange: () => void;
  #state: ToolServer["state"] = "off";
  #error: ErrorReport | null = null;
  #tools: ServerTool[] = [];
  #refused: ToolServer["refused"] = [];
  #client: Client | null = null;
  #starting: Promise<void> | null = null;
  #closed = false;

  constructor(settings: ToolServerSettings, checkTool: CheckTool, onChange: () => void) {
    this.settings = settings;
    this.#checkTool = checkTool;
    this.#onChange = onChange;
  }

  get description(): ToolServer {
    const tools = this.#tools.map(({ name, server, description, parameters, readOnly, closedWorld }) => ({
      name,
      server,
      description,
      parameters,
      readOnly: readOnly && closedWorld,
    }));
    const settings = withoutSecrets(this.settings);
    return { settings, state: this.#state, error: this.#error, tools, refused: this.#refused };
  }

  /** Also of a server that stopped: calling one starts it again. */
  get tools(): readonly ServerTool[] {
    return this.settings.enabled ? this.#tools : [];
  }

  /** Connects, unless it is connected; a failure is in the description. */
  start(): Promise<void> {
    if (!this.settings.enabled || this.#closed || this.#state === "ready") return Promise.resolve();
    this.#starting ??= this.#connect().finally(() => (this.#starting = null));
    return this.#starting;
  }

  /** @throws CorralError TOOL_SERVER_FAILED, CANCELLED */
  async call(
    tool: ServerTool,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<{ text: string; failed: boolean }> {
    await this.start();
    if (signal.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
    const client = this.#client;
    if (client === null) throw this.#failed(this.#error?.message ?? "it is switched off");
    try {
      const timeout = this.settings.timeoutMs;
      const result = await client.callTool({ name: tool.ownName, arguments: args }, { signal, timeout });
      return { text: resultText(result), failed: result.isError === true };
    } catch (error) {
      if (signal.aborted) throw new CorralError("CANCELLED", "Stopped on request.", {});
      const late = error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
      throw this.#failed(late ? `it did not answer within ${this.settings.timeoutMs / 1000} s` : reasonOf(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    this.#state = "off";
    await client?.close().catch(() => undefined);
    await this.#starting;
  }

  async #connect(): Promise<void> {
    this.#change("starting", null);
    const link = linkTo(this.settings);
    const client = new Client(
      { name: "corral", version: "1" },
      {
        // A schema of the server's would be compiled to code and its patterns run here.
        jsonSchemaValidator: {
          getValidator: () => (value) => ({ valid: true, data: value as never, errorMessage: undefined }),
        },
        listChanged: { tools: { onChanged: (_error, tools) => tools && this.#take(tools) } },
      },
    );
    this.#client = client;
    client.onclose = () => this.#lost(client, link);
    try {
      await client.connect(link.transport, { timeout: startLimitMs });
      const { tools } = await client.listTools(undefined, { timeout: startLimitMs });
      if (this.#client !== client) throw new Error("it was stopped");
      this.#take(tools);
      this.#change("ready", null);
    } catch (error) {
      const last = link.lastWords().trim();
      this.#client = null;
      await client.close().catch(() => undefined);
      if (!this.#closed) this.#change("failed", this.#failed(last === "" ? reasonOf(error) : last).report());
    }
  }

  #take(listed: Parameters<typeof toolsFrom>[0]): void {
    const { tools, refused } = toolsFrom(listed, this.settings, this.#checkTool);
    this.#tools = tools;
    this.#refused = refused;
    this.#onChange();
  }

  #lost(client: Client, link: ServerLink): void {
    if (this.#client !== client || this.#state !== "ready") return;
    this.#client = null;
    this.#change("failed", this.#failed(`it ended. ${link.lastWords().trim()}`.trim()).report());
  }

  #change(state: ToolServer["state"], error: ErrorReport | null): void {
    this.#state = state;
    this.#error = error;
    this.#onChange();
  }

  #failed(reason: string): CorralError<"TOOL_SERVER_FAILED"> {
    const { name } = this.settings;
    return new CorralError("TOOL_SERVER_FAILED", `The tool server ${name} could not be used: ${reason}`, {
      server: name,
      reason,
    });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return error instanceof Error ? `${error.message}${cause}` : "unknown";
}
