import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Why a request may not come in, as an HTTP answer; null when it may. */
export interface Refusal {
  status: 400 | 401 | 403 | 421;
  reason: string;
}

/**
 * Who may talk to the loopback server. A web page on any site can send requests to 127.0.0.1, and DNS rebinding can give
 * such a page any host name; so the Host must be one of ours word for word, a browser's Origin must be that same host, and
 * everything that can change or show anything needs the owner's key besides.
 */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #keyHash: Buffer;

  /** @param port the port that is listened on */
  constructor(port: number, key: string) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]);
    this.#keyHash = hash(key);
  }

  /** Checks where the request says it goes and where it says it comes from. */
  refuse(request: IncomingMessage): Refusal | null {
    const host = onlyHeader(request, "host");
    if (host === null || !this.#hosts.has(host.toLowerCase())) return { status: 421, reason: "Unknown host" };
    // An absolute-form target would let the URL name another host than the header.
    if (!request.url?.startsWith("/")) return { status: 400, reason: "Bad request target" };
    if (request.headers.origin === undefined) return null;
    const origin = onlyHeader(request, "origin");
    return origin === `http://${host.toLowerCase()}` ? null : { status: 403, reason: "Cross-origin request" };
  }

  /** Compares in constant time. */
  hasKey(key: string | undefined): boolean {
    return key !== undefined && timingSafeEqual(hash(key), this.#keyHash);
  }

  /** "host:port" values that pages of ours may connect to. */
  get hosts(): string[] {
    return [...this.#hosts];
  }
}

/** The one value of a header; null when it is missing or sent more than once. */
function onlyHeader(request: IncomingMessage, name: string): string | null {
  const values = request.rawHeaders.filter(
    (_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name,
  );
  return values.length === 1 ? (values[0] ?? null) : null;
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
