import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ChatServer } from "./sse-chat.ts";

/** Set to the command that starts llama.cpp's server, for example "/usr/bin/llama-server". */
const commandVariable = "CORRAL_LLAMA_SERVER";

/** llama.cpp's own server on the same model, with the same settings. */
export interface LlamaServer extends AsyncDisposable {
  readonly server: ChatServer;
  readonly flags: string;
}

export interface LlamaServerSettings {
  path: string;
  threads: number;
  parallel: number;
  /** Of each slot, tokens. */
  contextSize: number;
  batchSize: number;
  kvCacheType: "f16" | "q8_0";
}

/** Null where none is named, or it does not start; the reason goes to stderr. */
export async function startLlamaServer(settings: LlamaServerSettings): Promise<LlamaServer | null> {
  const command = process.env[commandVariable];
  if (!command) {
    process.stderr.write(`  llama-server is left out: ${commandVariable} does not name it.\n`);
    return null;
  }
  const { path, threads, parallel, contextSize, batchSize, kvCacheType } = settings;
  const port = await freePort();
  const flags = [
    ...[
      "-t",
      threads,
      "-tb",
      threads,
      "-np",
      parallel,
      "-c",
      contextSize * parallel,
      "-b",
      batchSize,
      "-ub",
      batchSize,
    ],
    ...["-fa", "on", "-ctk", kvCacheType, "-ctv", kvCacheType, "-ngl", 0],
  ].map(String);
  const [program = "", ...given] = command.split(" ");
  const place = ["-m", path, "--host", "127.0.0.1", "--port", `${port}`];
  const child = spawn(program, [...given, ...place, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  let lastWords = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (lastWords = (lastWords + text).slice(-2000)));
  const exit = once(child, "exit").catch(() => undefined);
  const stop = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline && child.exitCode === null) {
    const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (health?.ok) {
      const server = { baseUrl: `http://127.0.0.1:${port}/v1`, key: "none", model: "bench" };
      return { server, flags: flags.join(" "), [Symbol.asyncDispose]: stop };
    }
    await delay(200);
  }
  await stop();
  process.stderr.write(`  llama-server is left out, it did not start: ${lastWords}\n`);
  return null;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No port is free.");
  return address.port;
}
