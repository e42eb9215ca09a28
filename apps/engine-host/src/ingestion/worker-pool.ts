import { availableParallelism, totalmem } from "node:os";
import type { FromWorker, ToWorker } from "./worker-channel.ts";
import { type JobOptions, WorkerProcess } from "./worker-process.ts";

export interface WorkerPoolOptions {
  /** Documents read at the same time. Default: by cores and memory, see `defaultReaders`. */
  readers?: number;
  /** Resident memory at which a worker ends itself. Bytes; default 700 MiB. */
  memoryBytes?: number;
  /** An idle worker is stopped after this time. Milliseconds; default 60 s. */
  idleMs?: number;
}

/** Resident memory at which a worker ends itself. Bytes. */
const workerMemoryBytes = 700 * 2 ** 20;

/** A reader for every two cores, which leaves the others to the models, and never more than a quarter of the memory for them. */
function defaultReaders(): number {
  const byMemory = Math.floor(totalmem() / 4 / workerMemoryBytes);
  return Math.max(1, Math.min(8, Math.max(2, Math.floor(availableParallelism() / 2)), byMemory));
}

/**
 * The ingestion workers: some that read documents, and one of its own for drawing pages, so that looking at a source
 * never waits behind the reading of a book. Workers are started when there is work and used again.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #readers: Lane;
  readonly #renderer: Lane;
  /** Documents read at the same time. */
  readonly readers: number;

  constructor(options: WorkerPoolOptions = {}) {
    const { readers = defaultReaders(), memoryBytes = workerMemoryBytes, idleMs = 60_000 } = options;
    this.readers = readers;
    this.#readers = new Lane(readers, memoryBytes, idleMs);
    this.#renderer = new Lane(1, memoryBytes, idleMs);
  }

  /** @throws WorkerFailure, or the signal's reason */
  async read(
    job: Extract<ToWorker, { type: "read" }>,
    options: JobOptions,
  ): Promise<Extract<FromWorker, { type: "read" }>> {
    const message = await this.#readers.run(job, options);
    if (message.type !== "read") throw new Error("The ingestion worker answered another job than it was given.");
    return message;
  }

  /** @throws WorkerFailure, or the signal's reason */
  async render(job: Extract<ToWorker, { type: "render" }>, options: JobOptions): Promise<Uint8Array> {
    const message = await this.#renderer.run(job, options);
    if (message.type !== "rendered") throw new Error("The ingestion worker answered another job than it was given.");
    return message.png;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#readers[Symbol.asyncDispose](), this.#renderer[Symbol.asyncDispose]()]);
  }
}

/** Up to `size` workers that share one queue. */
class Lane implements AsyncDisposable {
  readonly #size: number;
  readonly #memoryBytes: number;
  readonly #idleMs: number;
  readonly #workers = new Map<WorkerProcess, { busy: boolean; idleTimer: NodeJS.Timeout | null }>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(size: number, memoryBytes: number, idleMs: number) {
    this.#size = size;
    this.#memoryBytes = memoryBytes;
    this.#idleMs = idleMs;
  }

  async run(job: ToWorker, options: JobOptions) {
    await this.#turn(options.signal);
    const worker = this.#take();
    try {
      return await worker.run(job, options);
    } finally {
      this.#release(worker);
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const [, state] of workers) if (state.idleTimer) clearTimeout(state.idleTimer);
    await Promise.all(workers.map(([worker]) => worker[Symbol.asyncDispose]()));
  }

  /** Waits for a free place, in the order of asking. */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#size) {
      this.#running++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const proceed = () => {
      this.#running++;
      resolve();
    };
    const onAbort = () => {
      const place = this.#waiting.indexOf(proceed);
      if (place >= 0) this.#waiting.splice(place, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(proceed);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #take(): WorkerProcess {
    for (const [worker, state] of this.#workers) {
      if (worker.dead) this.#workers.delete(worker);
      else if (!state.busy) {
        state.busy = true;
        if (state.idleTimer) clearTimeout(state.idleTimer);
        return worker;
      }
    }
    const worker = new WorkerProcess(this.#memoryBytes);
    this.#workers.set(worker, { busy: true, idleTimer: null });
    return worker;
  }

  #release(worker: WorkerProcess): void {
    const state = this.#workers.get(worker);
    if (!state) return;
    state.busy = false;
    if (worker.dead) this.#workers.delete(worker);
    else {
      state.idleTimer = setTimeout(() => {
        this.#workers.delete(worker);
        worker.kill();
      }, this.#idleMs);
      state.idleTimer.unref();
    }
  }
}
