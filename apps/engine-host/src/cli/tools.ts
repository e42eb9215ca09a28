import { CorralError, type CorralClient, type ToolServer, type ToolServerSettings } from "@corral/protocol";
import { defineCommand, UsageError } from "./command.ts";
import { count, table } from "./output.ts";

export const tools = defineCommand({
  name: "tools",
  summary: "list, add and remove tool servers (MCP)",
  help: `
Usage: corral tools list [--json]
       corral tools add NAME [--env NAME=VALUE]… [--timeout SECONDS] [--json] -- PROGRAM [ARGUMENT…]
       corral tools add NAME --url URL [--header "NAME: VALUE"]… [--confirm-outside] [--timeout SECONDS] [--json]
       corral tools remove NAME… [--json]

A tool server speaks the Model Context Protocol: a program that Corral starts, or an address. Its tools can then be switched
on in the settings of a conversation; before one runs, you are asked.
list    shows Corral's own tools, and the servers with theirs. With --json: {"tools","servers"}
add     adds a server and waits until its tools are known. The program gets a minimal environment and what --env names.
        An address outside of this machine and its private network needs --confirm-outside: what a model passes to the
        server's tools goes there.
remove  forgets servers; the programs themselves stay where they are.
The exit code is 1 when the server that was added could not be started or reached.`,
  options: {
    env: { type: "string", multiple: true },
    header: { type: "string", multiple: true },
    url: { type: "string" },
    timeout: { type: "string" },
    "confirm-outside": { type: "boolean" },
  },
  async run({ values, positionals, connect, output, signal }) {
    const [action, ...names] = positionals;
    if (action === undefined || !["list", "add", "remove"].includes(action)) {
      throw new UsageError("Say what to do: corral tools list, add or remove.");
    }
    const settings = action === "add" ? settingsOf(names, values) : null;
    if (action === "list" && names.length > 0) throw new UsageError("corral tools list takes no arguments.");
    if (action === "remove" && names.length === 0) throw new UsageError("Say which tool servers to remove.");

    await using session = await connect();
    const { client } = session;
    if (settings !== null) {
      await client.tools.addServer(settings, { signal });
      const server = (await settled(client, signal)).find((one) => one.settings.name === settings.name);
      output.result({ server }, () => (server === undefined ? "" : describe(server)));
      return server?.state === "ready" ? 0 : 1;
    }
    if (action === "list") {
      const servers = await settled(client, signal);
      const available = await client.tools.list(undefined, { signal });
      output.result({ tools: available, servers }, () => {
        const own = available.filter(({ server }) => server === null).map(({ name }) => [name, "Corral's own"]);
        return [table([["TOOL", "FROM"], ...own]), ...servers.map(describe)].join("\n\n");
      });
      return 0;
    }
    // All are looked up before any is removed: a mistyped name removes nothing.
    const known = (await client.tools.servers(undefined, { signal })).map((server) => server.settings.name);
    for (const name of names) {
      if (known.includes(name)) continue;
      throw new CorralError("TOOL_SERVER_NOT_FOUND", `There is no tool server "${name}"; nothing was removed.`, {
        server: name,
      });
    }
    for (const server of names) await client.tools.removeServer({ server }, { signal });
    output.result({ removed: names }, () => `Removed ${count(names.length, "tool server")}.`);
    return 0;
  },
});

interface AddOptions {
  env?: string[] | undefined;
  header?: string[] | undefined;
  url?: string | undefined;
  timeout?: string | undefined;
  "confirm-outside"?: boolean | undefined;
}

function settingsOf([name, command, ...args]: string[], options: AddOptions): ToolServerSettings {
  if (name === undefined) throw new UsageError("Say what the tool server is called.");
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/u.test(name)) {
    throw new UsageError(`"${name}" is no name for a tool server: use up to 32 small letters, digits and hyphens.`);
  }
  const timeoutMs = Number(options.timeout ?? "60") * 1000;
  if (!(timeoutMs >= 1000 && timeoutMs <= 3_600_000)) throw new UsageError("--timeout takes 1 to 3600 seconds.");
  const common = { name, enabled: true, timeoutMs: Math.round(timeoutMs) };
  if (options.url === undefined) {
    if (command === undefined) throw new UsageError("Say which program to start, after --, or an address with --url.");
    const env = pairs(options.env ?? [], "=", "--env takes NAME=VALUE.");
    return { ...common, transport: { kind: "stdio", command, args, env } };
  }
  if (command !== undefined) throw new UsageError("A tool server is either a program or an address, not both.");
  const address = URL.parse(options.url);
  if (address === null || !/^https?:$/u.test(address.protocol)) throw new UsageError("--url takes an http(s) address.");
  const headers = pairs(options.header ?? [], ":", '--header takes "NAME: VALUE".');
  const confirmedOutside = options["confirm-outside"] ?? false;
  return { ...common, transport: { kind: "http", url: options.url, headers, confirmedOutside } };
}

function pairs(given: string[], separator: string, usage: string): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf(separator);
      if (at < 1) throw new UsageError(usage);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/** The servers, once none of them is starting any more. */
async function settled(client: CorralClient, signal: AbortSignal): Promise<ToolServer[]> {
  for await (const servers of await client.tools.watchServers(undefined, { signal })) {
    if (servers.every(({ state }) => state !== "starting")) return servers;
  }
  return client.tools.servers(undefined, { signal });
}

function describe({ settings, state, error, tools: offered, refused }: ToolServer): string {
  const { transport } = settings;
  const place = transport.kind === "stdio" ? [transport.command, ...transport.args].join(" ") : transport.url;
  const lines = [
    `${settings.name}: ${state}, ${count(offered.length, "tool")} (${place})`,
    ...(error === null ? [] : [`  ${error.message}`]),
    ...offered.map(({ name, readOnly }) => `  ${name}${readOnly ? "  (only reads, the server says)" : ""}`),
    ...refused.map(({ name, reason }) => `  ${name} cannot be used: ${reason}`),
  ];
  return lines.join("\n");
}
