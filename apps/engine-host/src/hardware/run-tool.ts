import { spawn } from "node:child_process";
import { textOf } from "./tool-values.ts";

/** Why a tool gave no answer. missing: not installed. late: hung. failed: it says it cannot. flood: too much output. */
export type ToolFailure = "missing" | "late" | "failed" | "flood" | "stopped";

/** A tool that gave no answer; the message is a part of a sentence that begins with the tool's name. */
export class ToolError extends Error {
  readonly failure: ToolFailure;
  /** What it printed all the same, for a look at the reason. */
  readonly output: string;

  constructor(failure: ToolFailure, message: string, output = "") {
    super(message);
    this.failure = failure;
    this.output = output;
  }
}

export interface ToolLimits {
  /** Longest time, ms. */
  timeoutMs: number;
  /** From when it counts, as performance.now() tells; absent: from the call. */
  since?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Environment to run in; the language is always C, so that numbers have points and words are English. */
  environment?: NodeJS.ProcessEnv | undefined;
}

/** More than any of the tools prints: rocm-smi's and amd-smi's answers for eight cards are some 100 KiB. Bytes. */
const outputLimit = 2 ** 20;
/** Of the error output the end is kept: the reason stands there. Characters. */
const errorLimit = 2000;

/**
 * What a vendor's tool prints. Killed with all it started when it takes too long, prints without end, or the caller
 * gives up.
 * @throws ToolError
 */
export function runTool(program: string, args: readonly string[], limits: ToolLimits): Promise<string> {
  const { timeoutMs, since = performance.now(), signal, environment = process.env } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new ToolError("stopped", "was stopped"));
    const child = startTool(program, args, environment);
    const pieces: Buffer[] = [];
    let length = 0;
    let complaint = "";
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      killTool(child);
      // A grandchild may hold the pipes open; nothing of them matters any more.
      child.stdout.destroy();
      child.stderr.destroy();
      settle();
    };
    const fail = (failure: ToolFailure, message: string) =>
      end(() => reject(new ToolError(failure, message, Buffer.concat(pieces).toString("utf8"))));
    const onAbort = () => fail("stopped", "was stopped");
    const left = Math.max(0, since + timeoutMs - performance.now());
    const timer = setTimeout(() => fail("late", `did not answer within ${timeoutMs / 1000} s`), left);
    signal?.addEventListener("abort", onAbort, { once: true });

    child.stdout.on("data", (piece: Buffer) => {
      pieces.push(piece);
      length += piece.byteLength;
      if (length > outputLimit) fail("flood", `printed more than ${outputLimit / 2 ** 20} MiB`);
    });
    child.stderr.on("data", (piece: Buffer) => {
      complaint = (complaint + piece.toString("utf8")).slice(-errorLimit);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") fail("missing", "is not installed");
      else fail("failed", `could not be started (${error.code ?? error.message})`);
    });
    child.once("close", (code, killedBy) => {
      const text = Buffer.concat(pieces).toString("utf8");
      if (code === 0) end(() => resolve(text));
      else fail("failed", reasonOf(text, complaint) || `ended with ${killedBy ?? code}`);
    });
  });
}

/** Starts a tool in a process group of its own, so that all it starts can be ended with it. */
export function startTool(program: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
  return spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, LC_ALL: "C", LANG: "C" },
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

/** Ends a tool and all it started; does nothing when it is gone. */
export function killTool(child: ReturnType<typeof startTool>): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended between the question and the signal.
  }
}

/** How a failing tool explains itself, cut short: what it printed, else the end of its error output. Untrusted text. */
function reasonOf(output: string, complaint: string): string {
  const lines = (text: string) => text.split(/\r?\n/).flatMap((line) => textOf(line) ?? []);
  const said = lines(output).slice(0, 3).join(". ") || lines(complaint).at(-1) || "";
  return said.slice(0, 200).replace(/[.:]+$/, "");
}
