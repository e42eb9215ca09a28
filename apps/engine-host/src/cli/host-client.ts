import { setTimeout as delay } from "node:timers/promises";
import {
  CorralError,
  type CorralClient,
  type ErrorCode,
  errorCodes,
  type HostDescription,
  PROTOCOL_VERSION,
} from "@corral/protocol";
import { type ClientLink, createORPCClient, mapEventIterator, ORPCError } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import { WebSocket } from "ws";
import { type HostRecord, readHostRecord, readOwnerKey } from "../data-directory.ts";

/** A host to talk to, until disposed of. */
export interface HostSession extends AsyncDisposable {
  readonly client: CorralClient;
  readonly description: HostDescription;
}

export interface SessionOptions {
  dataDirectory: string;
  resourcesDirectory: string;
  signal: AbortSignal;
  /** Called once when the directory's owner has to be waited for. */
  onWaiting?: (owner: HostRecord) => void;
}

type SocketOfLink = Pick<globalThis.WebSocket, "addEventListener" | "removeEventListener" | "send" | "readyState">;

/** How long a running host may take to answer the handshake, ms. */
const HANDSHAKE_MS = 5_000;
/** How long another command's own host is waited for, ms. */
const PATIENCE_MS = 15_000;

/**
 * Connects to the host that runs on the data directory, else starts one in this process. Another command that runs a host
 * only for itself has no address; it is waited for.
 * @throws CorralError DATA_DIRECTORY_IN_USE, DATA_DIRECTORY_NOT_WRITABLE, HOST_UNREACHABLE, VERSION_MISMATCH, CANCELLED …
 */
export async function openSession(options: SessionOptions): Promise<HostSession> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let waiting = false; ;) {
    const running = await connectToRunning(options);
    if (running !== null) return running;
    try {
      return await startOwn(options);
    } catch (error) {
      if (!(error instanceof CorralError) || error.code !== "DATA_DIRECTORY_IN_USE") throw error;
      const owner = readHostRecord(options.dataDirectory);
      if (performance.now() > deadline) {
        throw owner?.address ? unreachable(owner.address) : error;
      }
      if (owner !== null && !waiting) options.onWaiting?.(owner);
      waiting = true;
    }
    await delay(150, undefined, { signal: options.signal });
  }
}

async function startOwn(options: SessionOptions): Promise<HostSession> {
  const { startHost, stopOnFatal } = await import("../main.ts");
  const { dataDirectory, resourcesDirectory } = options;
  const host = await startHost({ dataDirectory, resourcesDirectory, shell: "headless", stderrLevel: "fatal" });
  const fatal = stopOnFatal(host);
  const link: ClientLink<Record<never, never>> = {
    call: (path, input, callOptions) => procedureAt(host.client, path)(input, callOptions),
  };
  return {
    client: clientOver(link, options.signal),
    description: host.services.description,
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      fatal[Symbol.dispose]();
    },
  };
}

function procedureAt(client: CorralClient, path: readonly string[]) {
  const step = (value: unknown, name: string) => (value as Record<string, unknown>)[name];
  return path.reduce<unknown>(step, client) as (input: unknown, options: unknown) => Promise<unknown>;
}

/** Null when nothing listens at the recorded address (the record of a host that was killed). */
export async function connectToRunning(
  options: Pick<SessionOptions, "dataDirectory" | "signal">,
): Promise<HostSession | null> {
  const address = readHostRecord(options.dataDirectory)?.address;
  const key = readOwnerKey(options.dataDirectory);
  if (!address || key === null) return null;
  // The key is only ever sent to this machine, whatever a damaged record says.
  if (new URL(address).hostname !== "127.0.0.1") return null;
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}/api/socket`, ["corral.v1", `corral.key.${key}`], {
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
  });
  const lifetime = new AbortController();
  socket.on("close", () => lifetime.abort(lost(address)));
  const opened = await new Promise<boolean>((resolve) => {
    socket.once("open", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  if (!opened) return null;
  socket.on("error", () => socket.terminate());

  const link = new RPCLink<Record<never, never>>({ websocket: whileOpen(socket) });
  const client = clientOver(link, AbortSignal.any([lifetime.signal, options.signal]));
  try {
    const signal = AbortSignal.timeout(HANDSHAKE_MS);
    const hello = { protocolVersion: PROTOCOL_VERSION, client: "corral command line" };
    const description = await client.system.handshake(hello, { signal });
    return {
      client,
      description,
      [Symbol.asyncDispose]: async () => {
        // The host may have gone before.
        if (socket.readyState === WebSocket.CLOSED) return;
        const closed = new Promise((resolve) => socket.once("close", resolve));
        socket.close();
        await Promise.race([closed, delay(500, undefined, { ref: false })]);
        socket.terminate();
      },
    };
  } catch (error) {
    socket.terminate();
    if (error instanceof CorralError && error.code === "CANCELLED" && !options.signal.aborted)
      throw unreachable(address);
    throw error;
  }
}

/**
 * The socket as oRPC sees it: what is sent once it is closed goes nowhere. oRPC sends an abort for every call that runs when
 * the link is lost, in a listener whose rejection nobody could catch and which would end this process.
 */
function whileOpen(socket: WebSocket): SocketOfLink {
  const page = socket as unknown as globalThis.WebSocket;
  return {
    readyState: WebSocket.OPEN,
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) page.send(message);
    },
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  };
}

function lost(address: string): CorralError {
  const message = `The Corral running at ${address} stopped before it was done. Start it and run the command again.`;
  return new CorralError("HOST_UNREACHABLE", message, { address });
}

function unreachable(address: string): CorralError {
  return new CorralError(
    "HOST_UNREACHABLE",
    `The Corral running at ${address} does not answer. Stop it, or wait until it is done.`,
    { address },
  );
}

/**
 * A typed client over a link. Errors arrive as CorralError. Once `lifetime` aborts, every call and every stream ends with
 * its reason: oRPC alone would leave a call on a closed link waiting for ever.
 */
function clientOver(link: ClientLink<Record<never, never>>, lifetime: AbortSignal): CorralClient {
  return createORPCClient<CorralClient>({
    async call(path: readonly string[], input: unknown, options: { signal?: AbortSignal | undefined }) {
      const signal = options.signal ? AbortSignal.any([options.signal, lifetime]) : lifetime;
      const toError = (thrown: unknown) => (signal.aborted ? reasonOf(signal) : fromCallError(thrown));
      try {
        signal.throwIfAborted();
        const output = await untilAborted(link.call(path, input, { ...options, signal, context: {} }), signal);
        if (!isStream(output)) return output;
        return mapEventIterator(output, {
          value: (value) => Promise.resolve(value),
          error: async (thrown) => toError(thrown),
        });
      } catch (thrown) {
        throw toError(thrown);
      }
    },
  });
}

function isStream(value: unknown): value is AsyncIterator<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function untilAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(reasonOf(signal));
    signal.addEventListener("abort", abort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function reasonOf(signal: AbortSignal): CorralError {
  const reason: unknown = signal.reason;
  if (reason instanceof CorralError) return reason as CorralError;
  return new CorralError("CANCELLED", "Cancelled.", {}, { cause: reason });
}

function fromCallError(thrown: unknown): unknown {
  if (!(thrown instanceof ORPCError) || !(errorCodes as string[]).includes(thrown.code)) return thrown;
  return new CorralError(thrown.code as ErrorCode, thrown.message, (thrown.data ?? {}) as never, { cause: thrown });
}
