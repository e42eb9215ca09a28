import type { HostFrame } from "@corral/protocol";

/** A port to a page; `MessagePortMain` fits. */
export interface PagePort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (event: { data: unknown }) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  start(): void;
  close(): void;
}

/**
 * Carries frames between pages and engine-host without reading them. Each page port is one numbered link. When the host
 * goes, all ports are closed, which tells their pages to ask for new ones.
 */
export class PortRelay {
  readonly #toHost: (frame: HostFrame) => boolean;
  readonly #ports = new Map<number, PagePort>();
  #nextLink = 1;

  constructor(toHost: (frame: HostFrame) => boolean) {
    this.#toHost = toHost;
  }

  /** Connects a page. False (and the port is closed) when no host is ready. */
  connect(port: PagePort): boolean {
    const link = this.#nextLink++;
    if (!this.#toHost({ type: "link-open", link })) {
      port.close();
      return false;
    }
    this.#ports.set(link, port);
    port.on("message", ({ data }) => {
      if (isRelayable(data)) this.#toHost({ type: "link-data", link, data });
    });
    port.on("close", () => {
      if (this.#ports.delete(link)) this.#toHost({ type: "link-close", link });
    });
    port.start();
    return true;
  }

  /** Delivers a frame that came from the host. */
  fromHost(frame: HostFrame): void {
    const port = this.#ports.get(frame.link);
    if (port === undefined) return;
    if (frame.type === "link-data") port.postMessage(frame.data);
    if (frame.type === "link-close") this.#drop(frame.link, port);
  }

  /** The host is gone: closes every port. */
  closeAll(): void {
    for (const [link, port] of [...this.#ports]) this.#drop(link, port);
  }

  #drop(link: number, port: PagePort): void {
    this.#ports.delete(link);
    port.close();
  }
}

/** Only what the RPC layer sends; MessagePortMain closes itself when asked to pass on something unclonable. */
function isRelayable(data: unknown): data is string | Uint8Array | ArrayBuffer {
  return typeof data === "string" || data instanceof Uint8Array || data instanceof ArrayBuffer;
}
