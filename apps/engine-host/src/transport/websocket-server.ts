import { STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Services } from "../router/context.ts";
import type { Access, Refusal } from "./access.ts";
import { openRpcLink } from "./rpc-link.ts";

const SOCKET_PATH = "/api/socket";
/** What a client must offer besides its key, and what the server selects. */
const SUBPROTOCOL = "corral.v1";
/** The key travels as a second subprotocol of this prefix: a browser can set no header, and a query would be logged. */
const KEY_SUBPROTOCOL_PREFIX = "corral.key.";
/** Close code for a page of ours without the right key: page script cannot see why an upgrade was refused. */
const CLOSE_UNAUTHORIZED = 4401;
/** Largest message, bytes: the longest question the contract allows (2 million characters) as UTF-8 in JSON, with room. */
const MAX_MESSAGE_BYTES = 16 * 2 ** 20;
/** A peer that answers no ping within one interval is gone. ms. */
const KEEP_ALIVE_MS = 15_000;

/** Serves the router over WebSocket on /api/socket of an HTTP server. Disposing hangs up on every client. */
export function serveWebSockets(server: Server, access: Access, services: Services): Disposable {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const alive = new WeakSet<WebSocket>();

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const refusal = access.refuse(request) ?? refuseUpgrade(request, access);
    if (refusal !== null) {
      services.log.warn("websocket refused", { status: refusal.status, reason: refusal.reason });
      return answer(socket, refusal);
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", (error) => services.log.debug("websocket error", { error: error.message }));
      if (!access.hasKey(offeredKey(request)))
        return webSocket.close(CLOSE_UNAUTHORIZED, "The access key is missing or wrong");
      alive.add(webSocket);
      webSocket.on("pong", () => alive.add(webSocket));
      carry(webSocket, services);
    });
  };
  server.on("upgrade", onUpgrade);

  const keepAlive = setInterval(() => {
    for (const webSocket of sockets.clients) {
      if (!alive.delete(webSocket)) webSocket.terminate();
      else webSocket.ping();
    }
  }, KEEP_ALIVE_MS);
  keepAlive.unref();

  return {
    [Symbol.dispose]: () => {
      clearInterval(keepAlive);
      server.off("upgrade", onUpgrade);
      for (const webSocket of sockets.clients) {
        webSocket.close(1001, "Corral is shutting down");
        // A client that does not answer the close must not keep the server open.
        setTimeout(() => webSocket.terminate(), 500).unref();
      }
      sockets.close();
    },
  };
}

/** Host and Origin were checked before. A browser page without the right key is let in to be told so; nobody else is. */
function refuseUpgrade(request: IncomingMessage, access: Access): Refusal | null {
  if (request.url !== SOCKET_PATH) return { status: 400, reason: "Not a socket address" };
  if (!offeredProtocols(request).includes(SUBPROTOCOL))
    return { status: 400, reason: `Subprotocol ${SUBPROTOCOL} is missing` };
  if (request.headers.origin !== undefined || access.hasKey(offeredKey(request))) return null;
  return { status: 401, reason: "The access key is missing or wrong" };
}

function offeredProtocols(request: IncomingMessage): string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}

function offeredKey(request: IncomingMessage): string | undefined {
  const keys = offeredProtocols(request).filter((name) => name.startsWith(KEY_SUBPROTOCOL_PREFIX));
  return keys.length === 1 ? keys[0]?.slice(KEY_SUBPROTOCOL_PREFIX.length) : undefined;
}

function answer(socket: Duplex, refusal: Refusal): void {
  const body = `${refusal.reason}.\n`;
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function carry(webSocket: WebSocket, services: Services): void {
  const link = openRpcLink(
    services,
    { role: "owner" },
    {
      // Resolves once the frame has been handed to the operating system: a client that stops reading stops its streams.
      send: (frame) =>
        new Promise((resolve, reject) => webSocket.send(frame, (error) => (error ? reject(error) : resolve()))),
      onMalformed: () => webSocket.close(1007, "That was not a Corral message"),
    },
  );
  webSocket.on("message", (data, binary) => link.receive(binary ? asBytes(data) : asBytes(data).toString("utf8")));
  webSocket.on("close", () => link.close());
}

function asBytes(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
