import { createORPCClient, DynamicLink, type ClientContext, type ClientLink } from "@orpc/client";
import { PROTOCOL_VERSION, type CorralClient } from "@corral/protocol";
import type { Connection, ConnectionState, FileTransfer } from "./connection.ts";
import { errorCodeOf, LinkLostError } from "./error-report.ts";

/** An open link. `ended` aborts, with a `LinkEnd` as its reason, when nothing more can travel on it. */
export interface OpenLink {
  readonly link: ClientLink<ClientContext>;
  readonly ended: AbortSignal;
  close(): void;
}

/** Why a link ended. Anything but "lost" is final until the user acts. */
export type LinkEnd = "lost" | "key-missing" | "key-wrong";

/** A link that could not be opened. */
export class LinkRefusedError extends Error {
  readonly end: LinkEnd;
  constructor(end: LinkEnd) {
    super(`The link to engine-host was not opened: ${end}.`);
    this.name = "LinkRefusedError";
    this.end = end;
  }
}

/** What differs between the desktop app and the browser. */
export interface LinkSource {
  readonly client: "desktop" | "browser";
  readonly files: FileTransfer;
  /** Opens a link. @throws LinkRefusedError when it cannot */
  open(signal: AbortSignal): Promise<OpenLink>;
  enterKey(key: string): void;
  /** Tells when trying at once makes sense (the network is back, the tab is looked at). Returns the function that stops. */
  watchForReturn(tryNow: () => void): () => void;
}

/** Between attempts, in ms: doubled each time, ±25 %. */
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** The handshake is one round trip; a host that does not answer it in this time will not answer anything else. */
const HANDSHAKE_TIMEOUT_MS = 15_000;

/** Keeps one link open: handshake, state, backoff, and the lifetime signal of every call. */
export class SupervisedConnection implements Connection {
  readonly client: CorralClient;
  readonly files: FileTransfer;
  readonly #source: LinkSource;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #state: ConnectionState = { kind: "connecting" };
  #open: OpenLink | null = null;
  #wake: (() => void) | null = null;

  constructor(source: LinkSource) {
    this.#source = source;
    this.files = source.files;
    this.client = createORPCClient<CorralClient>(
      new DynamicLink((options) => {
        const open = this.#open;
        if (!open || open.ended.aborted) throw new LinkLostError();
        // oRPC never settles a call whose link has gone, so each call also ends with its link.
        return joinedTo(open, options.signal);
      }),
    );
    const stopWatching = source.watchForReturn(() => {
      if (this.#state.kind !== "refused") this.retryNow();
    });
    this.#closed.signal.addEventListener("abort", stopWatching);
    void this.#supervise();
  }

  state(): ConnectionState {
    return this.#state;
  }

  subscribe(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  whileReady(work: (signal: AbortSignal) => Promise<void>): () => void {
    const stopped = new AbortController();
    const begin = (state: ConnectionState) => {
      if (state.kind !== "ready" || !this.#open) return;
      void work(AbortSignal.any([this.#open.ended, stopped.signal]));
    };
    begin(this.#state);
    const unsubscribe = this.subscribe(begin);
    return () => {
      unsubscribe();
      stopped.abort();
    };
  }

  retryNow(): void {
    this.#wake?.();
  }

  enterKey(key: string): void {
    this.#source.enterKey(key);
    this.#open?.close();
    this.#set({ kind: "connecting" });
    this.retryNow();
  }

  close(): void {
    this.#closed.abort();
    this.#wake?.();
    this.#open?.close();
  }

  async #supervise(): Promise<void> {
    let delay = FIRST_DELAY_MS;
    while (!this.#closed.signal.aborted) {
      const end = await this.#useOneLink(() => {
        delay = FIRST_DELAY_MS;
      });
      this.#open = null;
      if (this.#closed.signal.aborted) return;
      if (end === "incompatible") {
        this.#set({ kind: "incompatible" });
        await this.#sleep(null);
      } else if (end === "lost") {
        this.#set({ kind: "lost" });
        await this.#sleep(delay * (0.75 + Math.random() / 2));
        delay = Math.min(delay * 2, LONGEST_DELAY_MS);
      } else {
        this.#set({ kind: "refused", reason: end });
        await this.#sleep(null);
      }
    }
  }

  /** Opens a link, shakes hands, and stays until it ends. */
  async #useOneLink(onReady: () => void): Promise<LinkEnd | "incompatible"> {
    let open: OpenLink;
    try {
      open = await this.#source.open(this.#closed.signal);
    } catch (error) {
      return error instanceof LinkRefusedError ? error.end : "lost";
    }
    this.#open = open;
    try {
      const host = await this.client.system.handshake(
        { protocolVersion: PROTOCOL_VERSION, client: this.#source.client },
        { signal: AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS) },
      );
      if (host.protocolVersion !== PROTOCOL_VERSION) return "incompatible";
      onReady();
      this.#set({ kind: "ready", host });
      await aborted(open.ended);
      return open.ended.reason as LinkEnd;
    } catch (error) {
      if (open.ended.aborted) return open.ended.reason as LinkEnd;
      return errorCodeOf(error) === "VERSION_MISMATCH" ? "incompatible" : "lost";
    } finally {
      open.close();
    }
  }

  #sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

/** The link with the end of its life joined to the signal of every call made on it. */
function joinedTo(open: OpenLink, signal: AbortSignal | undefined): ClientLink<ClientContext> {
  const joined = signal ? AbortSignal.any([signal, open.ended]) : open.ended;
  return { call: (path, input, options) => open.link.call(path, input, { ...options, signal: joined }) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
