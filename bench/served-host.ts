import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { openSession, type HostSession } from "../apps/engine-host/src/cli/host-client.ts";

const root = resolve(import.meta.dirname, "..");

/** `corral serve` on a data directory of its own, as a user starts it. Disposing stops it and removes the directory. */
export interface ServedHost extends AsyncDisposable {
  /** With the access key: what a browser opens. */
  readonly url: string;
  /** From starting the process to its saying that it is ready, ms. */
  readonly startMs: number;
  readonly dataDirectory: string;
  /** Speaks to it over its WebSocket, as the page does. */
  connect(): Promise<HostSession>;
  /** Ends it without warning, as a power cut or the system's memory killer would. */
  kill(): Promise<void>;
}

/** @param threads for models; absent: as `corral serve` chooses them */
export async function serveHost(dataDirectory?: string, threads?: number): Promise<ServedHost> {
  const data = dataDirectory ?? mkdtempSync(join(tmpdir(), "corral-bench-"));
  const start = performance.now();
  const program =
    threads === undefined
      ? [join(root, "apps/engine-host/bin/corral.mjs"), "serve", "--data", data, "--port", "0", "--json"]
      : [join(import.meta.dirname, "fixed-threads-host.ts"), data, `${threads}`];
  const child = spawn(process.execPath, program, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    if (dataDirectory === undefined) rmSync(data, { recursive: true, force: true });
  };
  try {
    const { url } = await readyLine(child);
    return {
      url,
      startMs: performance.now() - start,
      dataDirectory: data,
      connect: () =>
        openSession({
          dataDirectory: data,
          resourcesDirectory: join(root, "resources"),
          signal: new AbortController().signal,
        }),
      async kill() {
        child.kill("SIGKILL");
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** With `--json` the host prints one JSON value on many lines or one, then goes on serving. */
async function readyLine(child: ChildProcess): Promise<{ url: string }> {
  let text = "";
  for await (const line of createInterface({ input: child.stdout! })) {
    text += line;
    try {
      return JSON.parse(text) as { url: string };
    } catch {
      // Not whole yet.
    }
  }
  throw new Error("corral serve ended before it was ready.");
}
