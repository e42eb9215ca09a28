import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StreamableHTTPClientTransport, type FetchLike, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport, getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";
import type { ToolServerSettings } from "@corral/protocol";
import { isNear } from "./address.ts";
import { secretsOf } from "./server-settings.ts";

/** Bytes of one message, and of one HTTP answer. */
const longestMessage = 8 << 20;
/** Characters of what a server wrote to its standard error that are kept. */
const keptErrors = 2_000;

/** A way to a server that is not open yet. */
export interface ServerLink {
  transport: Transport;
  /** The end of what the server wrote to its standard error. */
  lastWords(): string;
}

/** How a server is reached. A program gets a minimal environment and the variables of its settings, nothing else of ours. */
export function linkTo(settings: ToolServerSettings): ServerLink {
  const { transport } = settings;
  if (transport.kind === "http") {
    const url = new URL(transport.url);
    const requestInit = { headers: secretsOf(settings) };
    const fetch = fetchFrom(url, transport.confirmedOutside);
    return { transport: new StreamableHTTPClientTransport(url, { requestInit, fetch }), lastWords: () => "" };
  }
  const stdio = new StdioClientTransport({
    ...supervised(transport.command, transport.args),
    env: { ...getDefaultEnvironment(), ...secretsOf(settings) },
    stderr: "pipe",
    maxBufferSize: longestMessage,
  });
  let words = "";
  stdio.stderr?.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-keptErrors)));
  return { transport: stdio, lastWords: () => words };
}

/** Windows has no process groups and ends a program's pipes with the host; there the program runs by itself. */
function supervised(command: string, args: string[]): { command: string; args: string[] } {
  if (process.platform === "win32") return { command, args };
  const here = fileURLToPath(import.meta.url);
  const program = here.endsWith(".ts") ? join(dirname(here), "supervise.ts") : join(dirname(here), "mcp-supervise.js");
  return { command: process.execPath, args: [program, command, ...args] };
}

/** Asks this server and nobody else, and reads no answer without end. */
function fetchFrom(server: URL, confirmedOutside: boolean): FetchLike {
  return async (address, init) => {
    const url = new URL(address);
    if (url.origin !== server.origin) throw new Error(`The server sent us on to ${url.host}, which was refused.`);
    if (!isNear(url) && !confirmedOutside) throw new Error(`${url.host} is outside of this network.`);
    const response = await fetch(url, { ...init, redirect: init?.redirect === "manual" ? "manual" : "error" });
    if (response.body === null) return response;
    let bytes = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.byteLength;
          if (bytes > longestMessage) controller.error(new Error("The server's answer is too long."));
          else controller.enqueue(chunk);
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(counted, { status, statusText, headers });
  };
}
