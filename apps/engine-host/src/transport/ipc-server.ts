import type { FromHost, ToHost } from "@corral/protocol";
import type { Services } from "../router/context.ts";
import { openRpcLink, type RpcLink } from "./rpc-link.ts";

/** ms; the desktop shell restarts a host that is silent for 15 s. */
const HEARTBEAT_MS = 2_000;

/** The part of `process` (or of a child handle in a test) that carries frames. */
export interface IpcChannel {
  send?(message: FromHost, callback: (error: Error | null) => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
}

/** Tells the desktop shell that this process is alive, from now until disposed of. */
export function startHeartbeat(channel: IpcChannel): Disposable {
  const beat = () => tell(channel, { type: "heartbeat" });
  beat();
  const timer = setInterval(beat, HEARTBEAT_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * Serves the router to the desktop app's pages over the IPC channel of this process: one link per page, numbered by the
 * shell. Says `ready` at once.
 * @param onShutdown called when the shell asks the host to finish
 */
export function serveIpc(channel: IpcChannel, services: Services, onShutdown: () => void): Disposable {
  const links = new Map<number, RpcLink>();

  const close = (link: number) => {
    links.get(link)?.close();
    links.delete(link);
  };
  const open = (link: number) => {
    close(link);
    const carrier = {
      send: (data: string | Uint8Array) => send(channel, { type: "link-data", link, data }),
      onMalformed: () => {
        links.delete(link);
        tell(channel, { type: "link-close", link });
      },
    };
    links.set(link, openRpcLink(services, { role: "owner" }, carrier));
  };
  const onMessage = (message: unknown) => {
    if (!isToHost(message)) return services.log.warn("unknown frame from the desktop shell");
    if (message.type === "shutdown") return onShutdown();
    if (message.type === "link-open") return open(message.link);
    if (message.type === "link-close") return close(message.link);
    links.get(message.link)?.receive(typeof message.data === "string" ? message.data : new Uint8Array(message.data));
  };

  channel.on("message", onMessage);
  tell(channel, { type: "ready" });
  return {
    [Symbol.dispose]: () => {
      channel.off("message", onMessage);
      for (const link of [...links.keys()]) close(link);
    },
  };
}

/** Resolves when the frame has been handed to the channel, so that a slow shell slows streams down. */
function send(channel: IpcChannel, message: FromHost): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!channel.send) return reject(new Error("The IPC channel is closed"));
    channel.send(message, (error) => (error ? reject(error) : resolve()));
  });
}

/** A channel that is gone ends the process by its "disconnect" event; there is nobody left to tell. */
function tell(channel: IpcChannel, message: FromHost): void {
  send(channel, message).catch(() => undefined);
}

/** The shell relays what a page sends, so the shape of a frame is checked even though its sender is ours. */
function isToHost(message: unknown): message is ToHost {
  if (typeof message !== "object" || message === null) return false;
  const { type, link, data } = message as { type?: unknown; link?: unknown; data?: unknown };
  if (type === "shutdown") return true;
  if (typeof link !== "number") return false;
  if (type === "link-open" || type === "link-close") return true;
  return (
    type === "link-data" && (typeof data === "string" || data instanceof Uint8Array || data instanceof ArrayBuffer)
  );
}
