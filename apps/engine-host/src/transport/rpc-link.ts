import { StandardRPCHandler } from "@orpc/server/standard";
import { createServerPeerHandleRequestFn } from "@orpc/server/standard-peer";
import { ServerPeer } from "@orpc/standard-server-peer";
import type { CallContext, Peer, Services } from "../router/context.ts";
import { router } from "../router/router.ts";

/** One end of a connection that carries oRPC frames, whatever carries them. */
export interface RpcLink {
  /** Takes a frame from the other end. Frames may run at the same time; never throws or rejects. */
  receive(frame: string | Uint8Array): void;
  /** Ends all calls of the link. */
  close(): void;
}

const handler = new StandardRPCHandler<CallContext>(router, {});

/**
 * Serves the router on one connection.
 * @param carrier.send resolves when the frame has left this process, so that a slow reader slows the stream down
 * @param carrier.onMalformed called once, when the other end sends something that is no frame; the caller hangs up
 */
export function openRpcLink(
  services: Services,
  peer: Peer,
  carrier: { send(frame: string | Uint8Array): Promise<void>; onMalformed(): void },
): RpcLink {
  let open = true;
  const server = new ServerPeer(async (message) => {
    if (open) await carrier.send(typeof message === "string" ? message : bytesOf(message));
  });
  const handle = createServerPeerHandleRequestFn(handler, { context: { peer, services } });
  const close = () => {
    open = false;
    server.close();
  };
  return {
    receive(frame) {
      if (!open) return;
      let dispatched = false;
      server
        .message(frame as string | Uint8Array<ArrayBuffer>, (request) => {
          dispatched = true;
          return handle(request);
        })
        .catch((error: unknown) => {
          if (!open) return;
          // Procedures report their own errors in the reply, so what fails before one ran is the frame itself. What fails
          // afterwards is the reply to a page that is just going away.
          if (dispatched) return services.log.debug("reply not sent", { error: (error as Error).message });
          services.log.warn("malformed frame");
          close();
          carrier.onMalformed();
        });
    },
    close,
  };
}

function bytesOf(message: ArrayBufferLike | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(message)) return new Uint8Array(message);
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
}
