import type { FromHost, HostFrame, ToHost } from "@corral/protocol";

/** The child as far as this file needs it; `child_process.ChildProcess` fits. */
export interface HostChild {
  readonly pid?: number | undefined;
  send(message: ToHost): boolean;
  kill(signal: "SIGTERM" | "SIGKILL"): boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "exit", listener: (code: number | null, signal: string | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export type HostState =
  | { kind: "starting" }
  | { kind: "ready" }
  /** Waits before the next start. `inMs` says how long. */
  | { kind: "restarting"; inMs: number }
  /** The host said why it cannot start; only the user can mend it. */
  | { kind: "failed"; code: string; message: string }
  | { kind: "stopped" };

/** main restarts a host that sent nothing for this long; the host beats every 2 s. */
const silenceLimitMs = 15_000;
/** A host that runs this long is taken as healthy again and the backoff starts over. */
const healthyAfterMs = 60_000;
const firstBackoffMs = 1_000;
const longestBackoffMs = 60_000;
/** How long `stop` waits for the host to save and exit before it is killed. */
const stopLimitMs = 8_000;

/**
 * The life of engine-host in the desktop app: starts it, watches its heartbeat, restarts it with backoff (1 s doubling to
 * 60 s), and stops it within a bounded time.
 */
export class EngineHostProcess {
  readonly #spawn: () => HostChild;
  readonly #timers: Timers;
  readonly #onState: (state: HostState) => void;
  readonly #onFrame: (frame: HostFrame) => void;
  #child: HostChild | null = null;
  #state: HostState = { kind: "stopped" };
  #backoffMs = firstBackoffMs;
  #silence: unknown = null;
  #healthy: unknown = null;
  #restart: unknown = null;
  #failure: { code: string; message: string } | null = null;
  #stopping = false;
  #stopped: (() => void)[] = [];

  constructor(options: {
    spawn: () => HostChild;
    timers: Timers;
    onState: (state: HostState) => void;
    onFrame: (frame: HostFrame) => void;
  }) {
    this.#spawn = options.spawn;
    this.#timers = options.timers;
    this.#onState = options.onState;
    this.#onFrame = options.onFrame;
  }

  get state(): HostState {
    return this.#state;
  }

  /** Starts the host, unless it runs already. */
  start(): void {
    if (this.#child !== null || this.#stopping) return;
    this.#clear(this.#restart);
    this.#failure = null;
    this.#enter({ kind: "starting" });
    const child = this.#spawn();
    this.#child = child;
    this.#listenForSilence();
    child.on("message", (message) => {
      if (child === this.#child) this.#receive(message as FromHost);
    });
    child.on("error", () => this.#ended(child));
    child.on("exit", () => this.#ended(child));
  }

  /** Sends a frame to the running host; false when there is none. */
  send(frame: HostFrame): boolean {
    if (this.#child === null || this.#state.kind !== "ready") return false;
    return this.#child.send(frame);
  }

  /** Asks the host to save and exit; kills it after 8 s. Resolves when it is gone. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#clear(this.#restart);
    const child = this.#child;
    if (child === null) {
      this.#enter({ kind: "stopped" });
      return Promise.resolve();
    }
    const killing = this.#timers.setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    const gone = new Promise<void>((resolve) => this.#stopped.push(resolve)).then(() => this.#clear(killing));
    child.send({ type: "shutdown" });
    return gone;
  }

  #receive(message: FromHost): void {
    this.#listenForSilence();
    switch (message.type) {
      case "ready":
        this.#healthy = this.#timers.setTimeout(() => (this.#backoffMs = firstBackoffMs), healthyAfterMs);
        this.#enter({ kind: "ready" });
        return;
      case "heartbeat":
        return;
      case "failed":
        this.#failure = { code: message.code, message: message.message };
        return;
      default:
        this.#onFrame(message);
    }
  }

  #ended(child: HostChild): void {
    if (child !== this.#child) return;
    this.#child = null;
    this.#clear(this.#silence);
    this.#clear(this.#healthy);
    if (this.#stopping) {
      this.#enter({ kind: "stopped" });
      for (const resolve of this.#stopped.splice(0)) resolve();
      return;
    }
    if (this.#failure !== null) {
      this.#enter({ kind: "failed", ...this.#failure });
      return;
    }
    const inMs = this.#backoffMs;
    this.#backoffMs = Math.min(inMs * 2, longestBackoffMs);
    this.#enter({ kind: "restarting", inMs });
    this.#restart = this.#timers.setTimeout(() => this.start(), inMs);
  }

  #listenForSilence(): void {
    this.#clear(this.#silence);
    const child = this.#child;
    this.#silence = this.#timers.setTimeout(() => child?.kill("SIGKILL"), silenceLimitMs);
  }

  #enter(state: HostState): void {
    this.#state = state;
    this.#onState(state);
  }

  #clear(timer: unknown): void {
    if (timer !== null) this.#timers.clearTimeout(timer);
  }
}
