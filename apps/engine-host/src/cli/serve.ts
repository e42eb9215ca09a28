import { CorralError } from "@corral/protocol";
import { resolve } from "node:path";
import { DEFAULT_PORT, defaultUiDirectory } from "../config.ts";
import type { Host } from "../main.ts";
import { defineCommand, UsageError, wholeNumber } from "./command.ts";
import { openBrowser } from "./open-browser.ts";

/** How many ports after the default one are tried when it is taken. */
const PORTS_TO_TRY = 20;

export const serve = defineCommand({
  name: "serve",
  summary: "run Corral with its web interface on this machine",
  help: `
Usage: corral serve [--data DIR] [--port ${DEFAULT_PORT}] [--open]

Runs Corral until Ctrl-C and prints the address of its web interface. Only this machine can reach it, and only with the
key in the printed address.
  --port NUMBER  the port to listen on; 0 takes any free one. Without it, the next free port from ${DEFAULT_PORT} on.
  --open         open the interface in the browser, where there is one
  --ui DIR       the built web interface, if not in its usual place
With --json, once ready: {"address","url","dataDirectory","pid"}`,
  options: { port: { type: "string" }, open: { type: "boolean" }, ui: { type: "string" } },
  async run({ values, positionals, output, signal, dataDirectory, resourcesDirectory }) {
    if (positionals.length > 0) throw new UsageError("corral serve takes no arguments.");
    const port = values.port === undefined ? null : wholeNumber(values.port, "--port", 0, 65535);
    const { startHost, stopOnFatal } = await import("../main.ts");
    const stopping = new AbortController();
    const until = AbortSignal.any([signal, stopping.signal]);

    await using host = await startHost({
      dataDirectory,
      resourcesDirectory,
      shell: "headless",
      stderrLevel: "warn",
    });
    using _fatal = stopOnFatal(host);
    const server = await listen(host, port, values.ui ? resolve(values.ui) : defaultUiDirectory);
    if (port === null && !server.address.endsWith(`:${DEFAULT_PORT}`)) {
      output.note(`Port ${DEFAULT_PORT} is taken by another program, so Corral listens on another.`);
    }
    if (!server.hasUi) output.note("The web interface has not been built; run npm run build:ui in the Corral folder.");
    const url = `${server.address}/#key=${host.key}`;
    output.result({ address: server.address, url, dataDirectory: host.directory, pid: process.pid }, () => {
      return `Corral is ready: ${url}`;
    });
    if (values.open) openBrowser(url);
    // The program that handed over to this one (bin/corral.mjs under an older Node) is gone.
    process.once("disconnect", () => stopping.abort());
    if (process.env["CORRAL_HANDED_OVER"]) process.channel?.unref();
    await aborted(until);
    output.note("Stopping …");
  },
});

async function listen(host: Host, port: number | null, ui: string) {
  if (port !== null) return await host.listen({ port, ui });
  for (let candidate = DEFAULT_PORT; ; candidate++) {
    try {
      return await host.listen({ port: candidate, ui });
    } catch (error) {
      const isTaken = error instanceof CorralError && error.code === "PORT_IN_USE";
      if (!isTaken || candidate >= DEFAULT_PORT + PORTS_TO_TRY) throw error;
    }
  }
}

/** Resolves when the signal aborts; keeps the process alive until then. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
