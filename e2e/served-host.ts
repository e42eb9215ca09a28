import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "..");

/** `corral serve` as a user starts it, with the built page and a data directory of its own. */
export interface ServedHost extends AsyncDisposable {
  /** With the access key in its hash: what a browser opens. */
  readonly url: string;
  readonly dataDirectory: string;
  /** Process ids of the running inference workers. */
  inferenceWorkers(): number[];
}

/** Builds the page if its sources changed. */
export function buildPage(): void {
  const built = spawnSync(process.execPath, [join(repository, "tools/build-ui.ts")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`The page could not be built:\n${built.stderr}`);
}

/** Builds the page if its sources changed, starts the host, and waits until it serves. */
export async function serveHost(): Promise<ServedHost> {
  buildPage();
  const dataDirectory = mkdtempSync(join(tmpdir(), "corral-e2e-"));
  const program = join(repository, "apps/engine-host/bin/corral.mjs");
  const child = spawn(process.execPath, [program, "serve", "--data", dataDirectory, "--port", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return {
    url: await addressOf(child),
    dataDirectory,
    inferenceWorkers: () => workersOf(child.pid ?? 0),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((found, failed) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const address = /http:\/\/\S+#key=\S+/.exec(said)?.[0];
      if (address) found(address);
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("exit", (code) =>
      failed(new Error(`corral serve ended with ${String(code)} before it served:\n${said}`)),
    );
  });
}

function workersOf(host: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  return stdout
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, , parent, command]) => Number(parent) === host && /inference-worker/.test(command ?? ""))
    .map(([, pid]) => Number(pid));
}
