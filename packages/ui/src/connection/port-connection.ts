import { RPCLink } from "@orpc/client/message-port";
import type { DesktopBridge } from "@corral/protocol";
import type { Connection } from "./connection.ts";
import { LinkRefusedError, SupervisedConnection, type LinkSource, type OpenLink } from "./supervised-connection.ts";

declare global {
  interface Window {
    /** Set by the preload script of the desktop app. */
    readonly corral?: DesktopBridge;
  }
}

/** Electron main answers at once unless engine-host is being restarted, which it does within seconds. */
const PORT_TIMEOUT_MS = 20_000;

/** The connection of the desktop app: a MessagePort that Electron main relays to engine-host. */
export function connectThroughPort(bridge: DesktopBridge): Connection {
  const source: LinkSource = {
    client: "desktop",
    files: {
      kind: "paths",
      pathOf: (file) => bridge.pathOfFile(file),
      pick: () => bridge.pickDocuments(),
      pickFolder: () => bridge.pickFolder(),
    },
    open: async (signal) => openPort(await receivePort(bridge, signal)),
    enterKey: () => {},
    watchForReturn: () => () => {},
  };
  return new SupervisedConnection(source);
}

/** Wraps a port. Exported for tests, which hold the other end themselves. */
export function openPort(port: MessagePort): OpenLink {
  const ended = new AbortController();
  // Before RPCLink's own listener: calls must find the signal aborted when their iterators end.
  port.addEventListener("close", () => ended.abort("lost"));
  const link = new RPCLink({ port });
  port.start();
  return {
    link,
    ended: ended.signal,
    close: () => {
      ended.abort("lost");
      port.close();
    },
  };
}

function receivePort(bridge: DesktopBridge, signal: AbortSignal): Promise<MessagePort> {
  const nonce = crypto.randomUUID();
  return new Promise((resolve, reject) => {
    const give = AbortSignal.any([signal, AbortSignal.timeout(PORT_TIMEOUT_MS)]);
    const onMessage = (event: MessageEvent<{ type?: unknown; nonce?: unknown } | null>) => {
      // Only the preload script of this very window can know the nonce.
      if (event.source !== window || event.data?.type !== "corral-port" || event.data.nonce !== nonce) return;
      const port = event.ports[0];
      window.removeEventListener("message", onMessage);
      if (port) resolve(port);
      else reject(new LinkRefusedError("lost"));
    };
    window.addEventListener("message", onMessage);
    give.addEventListener("abort", () => {
      window.removeEventListener("message", onMessage);
      reject(new LinkRefusedError("lost"));
    });
    bridge.requestPort(nonce);
  });
}
