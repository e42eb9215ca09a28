import { type ChildProcess, fork } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { FailureReason, FromWorker, MemoryLimitMark, ToWorker } from "./worker-channel.ts";

/** Where the worker's program lies: its source beside this room, or its bundle beside the bundled host. */
function workerProgram(): string {
  const source = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(source ? "../ingestion-worker/worker.ts" : "./ingestion-worker.js", import.meta.url));
}

/** Environment variables a worker may see: what a program needs to start and to sort text, no secrets. */
const allowedEnvironment = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SystemRoot", "windir"];

/** Somebody who waits for an answer comes before files that are read: the engine's threads wait for each other when one lacks its core. */
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system does not let us: then files are read as fast as anything else runs.
  }
}

function allowedVariables(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    allowedEnvironment.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

/**
 * Native code of parsers is out of reach of what the worker does to its JavaScript. What asks the network there (for language
 * data of text recognition that is missing, which the worker never lets happen) is sent to a port where nobody listens.
 */
const nowhere = "http://127.0.0.1:9";
const noWayOut = { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, ALL_PROXY: nowhere, NO_PROXY: "" };

/** A worker did not do its job. Carries the reason, not yet a sentence about a file. */
export class WorkerFailure extends Error {
  readonly reason: FailureReason;
  /** What the worker said on stderr, for the log. */
  readonly details: string;
  constructor(reason: FailureReason, details = "") {
    super(`ingestion worker: ${reason.kind}`);
    this.name = "WorkerFailure";
    this.reason = reason;
    this.details = details;
  }
}

export interface JobOptions {
  /** The worker is killed when the job takes longer; each recognised page adds `recognisedPageMs`. Milliseconds. */
  timeoutMs: number;
  /** Aborting kills the worker; the promise rejects with the signal's reason. */
  signal: AbortSignal;
  /** Called for each message that is not the last. */
  onPart?(part: Extract<FromWorker, { type: "part" }>): void;
}

/** A page with dense small print takes some seconds on a slow machine; one that takes this long is meant to. Milliseconds. */
const recognisedPageMs = 30_000;

type LastMessage = Extract<FromWorker, { type: "read" | "rendered" }>;

/** One ingestion worker process. Does one job at a time; is dead, for good, after a crash, a time-out or a cancelled job. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  readonly #exited: Promise<void>;
  #stderr = "";
  #dead = false;
  #receive: ((message: FromWorker) => void) | null = null;
  #gone: (() => void) | null = null;

  /** @param memoryBytes resident memory at which the worker ends itself */
  constructor(memoryBytes: number) {
    const heapMiB = Math.max(64, Math.floor((memoryBytes * 0.75) / 2 ** 20));
    this.#child = fork(workerProgram(), [String(memoryBytes)], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...allowedVariables(), ...noWayOut },
      // Node's permission model keeps the worker's JavaScript from writing files and starting programs.
      execArgv: [
        `--max-old-space-size=${heapMiB}`,
        "--permission",
        "--allow-fs-read=*",
        "--allow-addons",
        "--allow-worker",
        "--disable-warning=SecurityWarning",
      ],
    });
    giveWay(this.#child.pid);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-4000);
    });
    this.#exited = new Promise((resolve) => {
      const gone = () => {
        this.#dead = true;
        this.#gone?.();
        resolve();
      };
      // "close" comes after the last of stderr, which says why the worker ended.
      this.#child.once("close", gone);
      this.#child.once("error", gone);
    });
    this.#ready = new Promise((resolve) => {
      this.#child.on("message", (message: FromWorker) => {
        if (message.type === "ready") resolve();
        else this.#receive?.(message);
      });
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Does a job.
   * @throws WorkerFailure, or the signal's reason
   */
  async run(job: ToWorker, { timeoutMs, signal, onPart }: JobOptions): Promise<LastMessage> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<LastMessage>();
    const stop = (reason: unknown) => {
      this.kill();
      reject(reason);
    };
    const onAbort = () => stop(signal.reason);
    const onTimeout = () => stop(new WorkerFailure({ kind: "limit", limit: "time" }));
    let deadline = performance.now() + timeoutMs;
    let timer = setTimeout(onTimeout, timeoutMs);
    const extend = (pages: number) => {
      clearTimeout(timer);
      deadline += pages * recognisedPageMs;
      timer = setTimeout(onTimeout, deadline - performance.now());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#gone = () => reject(this.#causeOfDeath());
    this.#receive = (message) => {
      if (message.type === "part") {
        if (message.recognised > 0) extend(message.recognised);
        onPart?.(message);
      } else if (message.type === "failed") reject(new WorkerFailure(message.reason, this.#stderr));
      else if (message.type !== "ready") resolve(message);
    };
    try {
      if (this.#dead) this.#gone();
      void this.#ready.then(() => {
        if (!this.#dead) this.#child.send(job, (error) => error && this.kill());
      });
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#receive = null;
      this.#gone = null;
    }
  }

  kill(): void {
    this.#dead = true;
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#exited;
  }

  #causeOfDeath(): WorkerFailure {
    const mark: MemoryLimitMark = "corral: memory limit reached";
    const memory = this.#stderr.includes(mark) || this.#stderr.includes("heap out of memory");
    if (memory) return new WorkerFailure({ kind: "limit", limit: "memory" }, this.#stderr);
    return new WorkerFailure({ kind: "unreadable", reason: "reading it stopped unexpectedly" }, this.#stderr);
  }
}
