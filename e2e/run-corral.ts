import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The program as a user starts it from the repository. */
const program = fileURLToPath(new URL("../apps/engine-host/bin/corral.mjs", import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The one JSON value on stdout. */
  json(): unknown;
}

/** Runs one `corral` command to its end. */
export async function corral(args: string[], options: { env?: NodeJS.ProcessEnv } = {}): Promise<Finished> {
  const child = start(args, options.env);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (stderr += part.toString()));
  const code = await exitOf(child);
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as unknown };
}

/** `corral serve`, ready. */
export interface Serving {
  child: ChildProcess;
  pid: number;
  address: string;
  url: string;
  /** What was written to stderr so far. */
  stderr(): string;
}

/** Starts `corral serve --json` and waits until it says it is ready. */
export async function serve(
  dataDirectory: string,
  args: string[] = ["--port", "0"],
  env: NodeJS.ProcessEnv = {},
): Promise<Serving> {
  const child = start(["serve", "--data", dataDirectory, "--json", ...args], env);
  let stderr = "";
  child.stderr?.on("data", (part: Buffer) => (stderr += part.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    if (!child.stdout) return reject(new Error("No stdout"));
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`corral serve ended with ${code}: ${stderr}`)));
  });
  const ready = JSON.parse(line) as { address: string; url: string; pid: number };
  return { child, ...ready, stderr: () => stderr };
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

/** All living descendants of a process (Linux). */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const state = /^\d+$/.test(entry) ? stateOf(Number(entry)) : null;
    if (state) parents.set(Number(entry), state.parent);
  }
  const found = [pid];
  for (const each of found) for (const [child, parent] of parents) if (parent === each) found.push(child);
  return found.slice(1);
}

/** False when it ended, also when nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== null && state.letter !== "Z" && state.letter !== "X";
}

function stateOf(pid: number): { letter: string; parent: number } | null {
  try {
    // "pid (name) S ppid …"; the name may hold anything.
    const rest = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return { letter: rest[0] ?? "", parent: Number(rest[1]) };
  } catch {
    return null;
  }
}

function start(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CORRAL_DATA_DIR: "/proc/not-a-place", ...env },
  });
}
