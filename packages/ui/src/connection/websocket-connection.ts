import { RPCLink } from "@orpc/client/websocket";
import type { Connection } from "./connection.ts";
import { AccessKey } from "./access-key.ts";
import { LinkRefusedError, SupervisedConnection, type LinkSource, type OpenLink } from "./supervised-connection.ts";
import { uploadFile } from "./upload-file.ts";

/** The host closes with this code when it does not accept the key (4000-4999 are for applications to use). */
const CLOSED_UNAUTHORIZED = 4401;
const OPEN_TIMEOUT_MS = 10_000;

/** The connection of a browser: a WebSocket to the host that served the page. */
export function connectThroughWebSocket(): Connection {
  const key = new AccessKey();
  const source: LinkSource = {
    client: "browser",
    files: {
      kind: "upload",
      send: (collectionId, file, options) => uploadFile({ key: key.current ?? "", collectionId, file, ...options }),
    },
    open: (signal) => openSocket(key.current, signal),
    enterKey: (value) => key.set(value),
    watchForReturn: (tryNow) => {
      const whenVisible = () => {
        if (document.visibilityState === "visible") tryNow();
      };
      window.addEventListener("online", tryNow);
      document.addEventListener("visibilitychange", whenVisible);
      return () => {
        window.removeEventListener("online", tryNow);
        document.removeEventListener("visibilitychange", whenVisible);
      };
    },
  };
  const connection = new SupervisedConnection(source);
  // The same tab can be given a new address: only its hash changes then, and the page is not loaded again.
  window.addEventListener("hashchange", () => {
    const fresh = key.takeFromAddress();
    if (fresh) connection.enterKey(fresh);
  });
  return connection;
}

function openSocket(key: string | null, signal: AbortSignal): Promise<OpenLink> {
  if (!key) return Promise.reject(new LinkRefusedError("key-missing"));
  const address = new URL("/api/socket", window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  // A page cannot set headers on a WebSocket; the key travels as a subprotocol, which is never logged as part of the address.
  const socket = new WebSocket(address, ["corral.v1", `corral.key.${key}`]);
  const ended = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
    giveUp.addEventListener("abort", () => {
      if (socket.readyState === WebSocket.CONNECTING) socket.close();
    });
    // Before RPCLink's own listener: calls must find the signal aborted when their iterators end.
    socket.addEventListener("close", (event) => {
      const end = event.code === CLOSED_UNAUTHORIZED ? "key-wrong" : "lost";
      ended.abort(end);
      reject(new LinkRefusedError(end));
    });
    socket.addEventListener("open", () => {
      resolve({
        link: new RPCLink({ websocket: whileOpen(socket) }),
        ended: ended.signal,
        close: () => socket.close(),
      });
    });
  });
}

/**
 * The socket as oRPC sees it: what is sent once it is closed goes nowhere. oRPC sends an abort for every call that runs when
 * the link is lost, in a listener whose rejection nobody could catch; the calls themselves end with the link.
 */
function whileOpen(
  socket: WebSocket,
): Pick<WebSocket, "addEventListener" | "removeEventListener" | "send" | "readyState"> {
  return {
    readyState: WebSocket.OPEN,
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
    },
    addEventListener: socket.addEventListener.bind(socket),
    removeEventListener: socket.removeEventListener.bind(socket),
  };
}
