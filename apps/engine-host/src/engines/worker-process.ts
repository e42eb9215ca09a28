import { fork, type ChildProcess } from "node:child_process";
import type { FromWorker, ToWorker } from "./worker-channel.ts";

/**
 * Environment variables an inference worker may see: where libraries, caches and temporary files lie, and which devices
 * the administrator lets it use. Everything else stays out, above all what changes how code is loaded (NODE_OPTIONS,
 * LD_*), what makes node-llama-cpp use the network (HF_ENDPOINT, MODEL_ENDPOINT, proxies) and every secret.
 */
const passedEnvironment = [
  "PATH",
  "HOME",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "SystemRoot",
  "windir",
  "TMPDIR",
  "TEMP",
  "TMP",
  "LANG",
  "LC_ALL",
  "TZ",
  "CUDA_PATH",
  "CUDA_VISIBLE_DEVICES",
  "CUDA_DEVICE_ORDER",
  "NVIDIA_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
  "ROCR_VISIBLE_DEVICES",
  "GGML_VK_VISIBLE_DEVICES",
];

/** The environment of an inference worker, from the one of this process. @param visibleGpus NVIDIA GPUs to see; absent: all */
export function workerEnvironment(own: NodeJS.ProcessEnv, visibleGpus?: readonly string[]): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    // One pool thread: with several, each brings an OpenMP team of its own and they spin against each other. Measured:
    // 80 → 450 tok/s (design.md §4).
    UV_THREADPOOL_SIZE: "1",
  };
  for (const name of passedEnvironment) if (own[name] !== undefined) environment[name] = own[name];
  if (visibleGpus) environment.CUDA_VISIBLE_DEVICES = visibleGpus.join(",");
  return environment;
}

/** Why a worker's process is gone. */
export interface WorkerEnd {
  /** True when this side ended it on purpose. */
  intended: boolean;
  reason: string;
}

export interface WorkerProcessOptions {
  /** The worker's program. */
  path: string;
  visibleGpus: readonly string[] | undefined;
  limits: LivenessLimits;
}

/** Times in ms. */
export interface LivenessLimits {
  /** A worker whose event loop sends nothing for this long is taken for hung and killed. */
  silenceMs: number;
  /** The same while it loads: opening GPU libraries from a slow disk blocks its event loop. */
  loadSilenceMs: number;
  /** A worker with work whose evaluations make no progress, or whose load makes none, for this long. */
  stallMs: number;
}

/**
 * Silence: within the 10 s of promise T-71 (research/reliability.md). Stall: the longest single step known is one batch
 * of 512 tokens of a 405B model on a CPU, a few minutes.
 */
export const defaultLivenessLimits: LivenessLimits = { silenceMs: 10_000, loadSilenceMs: 60_000, stallMs: 600_000 };

/** JavaScript heap of a worker, MiB: the largest vocabularies take some 200; a hostile chat template gets no further. */
const heapLimitMebibytes = 1536;
const tickMs = 500;
const keptErrorOutput = 4096;

/** A worker process: frames in and out, watched for signs of life, killed when it hangs. */
export class WorkerProcess {
  /** Settles once, when the process is gone. */
  readonly ended: Promise<WorkerEnd>;
  readonly #child: ChildProcess;
  readonly #limits: LivenessLimits;
  readonly #watch: NodeJS.Timeout;
  #intended = false;
  #killReason: string | null = null;
  #errorOutput = "";
  #loading = true;
  #silentTicks = 0;
  #stalledTicks = 0;
  #evaluations = -1;

  constructor({ path, visibleGpus, limits }: WorkerProcessOptions, receive: (message: FromWorker) => void) {
    this.#limits = limits;
    this.#child = fork(path, [String(process.pid)], {
      execPath: process.execPath,
      execArgv: [`--max-old-space-size=${heapLimitMebibytes}`],
      env: workerEnvironment(process.env, visibleGpus),
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      windowsHide: true,
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-keptErrorOutput);
    });
    this.#child.on("message", (message: FromWorker) => {
      this.#noteLife(message);
      receive(message);
    });
    this.ended = new Promise((resolve) => {
      const settle = (happened: string) => {
        clearInterval(this.#watch);
        resolve({ intended: this.#intended, reason: this.#killReason ?? this.#withLastWords(happened) });
      };
      this.#child.once("error", (error) => {
        // Only a failure to start ends things here; a failed kill or send is followed by an exit of its own.
        if (this.#child.pid === undefined) settle(`it could not be started: ${error.message}`);
      });
      // Not "exit": by "close" the last words on stderr have arrived.
      this.#child.once("close", (code, signal) =>
        settle(signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`),
      );
    });
    // Ticks are counted rather than clocks compared, so that a machine waking from sleep does not look like a hung worker.
    this.#watch = setInterval(() => this.#tick(), tickMs);
    this.#watch.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A message to a worker that is gone is dropped; `ended` tells about it. */
  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** The model is loaded: from now on the shorter limits hold. */
  markLoaded(): void {
    this.#loading = false;
    this.#stalledTicks = 0;
  }

  /** Ends the process now; resolves when it is gone. With a reason it counts as a failure, not as intended. */
  async kill(reason: string | null = null): Promise<void> {
    if (reason === null) this.#intended = true;
    else this.#killReason ??= reason;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #noteLife(message: FromWorker): void {
    this.#silentTicks = 0;
    if (message.type !== "alive") {
      this.#stalledTicks = 0;
    } else if (!this.#loading && (message.busy === 0 || message.evaluations !== this.#evaluations)) {
      this.#evaluations = message.evaluations;
      this.#stalledTicks = 0;
    }
  }

  #tick(): void {
    this.#silentTicks++;
    this.#stalledTicks++;
    const silenceMs = this.#loading ? this.#limits.loadSilenceMs : this.#limits.silenceMs;
    if (this.#silentTicks * tickMs > silenceMs) {
      void this.kill(`it did not respond for ${Math.round(silenceMs / 1000)} s and was ended`);
    } else if (this.#stalledTicks * tickMs > this.#limits.stallMs) {
      void this.kill(`it made no progress for ${Math.round(this.#limits.stallMs / 1000)} s and was ended`);
    }
  }

  #withLastWords(happened: string): string {
    const last = this.#errorOutput.trim().split("\n").at(-1)?.trim().slice(0, 300);
    return last ? `${happened} (${last})` : happened;
  }
}
