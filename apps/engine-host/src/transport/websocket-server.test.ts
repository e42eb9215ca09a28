import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { PROTOCOL_VERSION, type CorralClient } from "@corral/protocol";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import { fakeServices, type FakeServices } from "../router/testing/fake-services.ts";
import { startHttpServer, type HttpServer } from "./http-server.ts";

const key = "k".repeat(43);
let services: FakeServices;
let server: HttpServer;
let port: number;

beforeEach(async () => {
  services = fakeServices();
  server = await startHttpServer(services, { port: 0, key, ui: null, api: async () => new Response() });
  port = Number(new URL(server.address).port);
});
afterEach(() => server[Symbol.asyncDispose]());

const hello = { i: "1", p: { u: "/library/collections", b: { json: null } } };

interface Attempt {
  host?: string;
  origin?: string | undefined;
  protocols?: string[];
  path?: string;
  headers?: Record<string, string>;
}

/** Tries to get in and to call a procedure; says how that ended. */
function attempt({ host, origin, protocols = ["corral.v1", `corral.key.${key}`], path, headers }: Attempt) {
  return new Promise<{ status?: number; closed?: number; answered?: true }>((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path ?? "/api/socket"}`, protocols, {
      headers: { ...headers, host: host ?? `127.0.0.1:${port}`, ...(origin === undefined ? {} : { origin }) },
    });
    socket.on("unexpected-response", (_request, response) => {
      resolve({ status: response.statusCode ?? 0 });
      response.resume();
      socket.terminate();
    });
    socket.on("open", () => socket.send(JSON.stringify(hello)));
    socket.on("message", () => {
      resolve({ answered: true });
      socket.close();
    });
    socket.on("close", (code) => resolve({ closed: code }));
    socket.on("error", () => resolve({ status: 0 }));
  });
}

function openClient(): { client: CorralClient; socket: WebSocket } {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/socket`, ["corral.v1", `corral.key.${key}`]);
  const link = new RPCLink({ websocket: socket as unknown as globalThis.WebSocket });
  return { client: createORPCClient<CorralClient>(link), socket };
}

describe("who may open a socket", () => {
  it("lets the owner in: a page of ours with the key, and a program with the key and no origin", async () => {
    expect(await attempt({ origin: `http://127.0.0.1:${port}` })).toEqual({ answered: true });
    expect(await attempt({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toEqual({
      answered: true,
    });
    expect(await attempt({ host: `[::1]:${port}` })).toEqual({ answered: true });
    expect(await attempt({})).toEqual({ answered: true });
  });

  const badHosts = () => [
    "attacker.test",
    `attacker.test:${port}`,
    `127.evil.com:${port}`,
    `127.0.0.1.evil.com:${port}`,
    `localhost.evil.com:${port}`,
    `corral.local:${port}`,
    "127.0.0.1",
    "localhost",
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.:${port}`,
    `localhost.:${port}`,
    `[::ffff:7f00:1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `0.0.0.0:${port}`,
    `127.1:${port}`,
    `2130706433:${port}`,
    `0x7f.1:${port}`,
    `user@127.0.0.1:${port}`,
    `127.0.0.1:${port}@evil.com`,
    `127.0.0.1:${port}, evil.com`,
    `evil.com, 127.0.0.1:${port}`,
    `127.0.0.1:0${port}`,
    `http://127.0.0.1:${port}`,
  ];
  it("refuses every other host, with the key and without effect", async () => {
    for (const host of badHosts()) expect([host, await attempt({ host })]).toEqual([host, { status: 421 }]);
    expect(services.calls).toEqual([]);
  });

  const badOrigins = () => [
    "null",
    "file://",
    "app://evil",
    "corral://app",
    "chrome-extension://abcdef",
    "https://evil.test",
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port + 1}`,
    "http://127.0.0.1",
    `http://localhost:${port}`,
    `http://127.0.0.1:${port}.evil.test`,
    `http://evil.test/http://127.0.0.1:${port}`,
    `https://localhost.evil:${port}`,
    `http://user@127.0.0.1:${port}`,
    `http://127.0.0.1:${port}/`,
    `http://127.0.0.1:${port} http://evil.test`,
    "",
  ];
  it("refuses every other origin, even with the key, and without effect", async () => {
    for (const origin of badOrigins()) expect([origin, await attempt({ origin })]).toEqual([origin, { status: 403 }]);
    expect(services.calls).toEqual([]);
  });

  it("refuses a missing, wrong, doubled or misplaced key, without effect", async () => {
    const wrong = [
      { protocols: ["corral.v1"] },
      { protocols: ["corral.v1", "corral.key."] },
      { protocols: ["corral.v1", `corral.key.${"x".repeat(43)}`] },
      { protocols: ["corral.v1", `corral.key.${key.slice(1)}`] },
      { protocols: ["corral.v1", `corral.key.${key}`, "corral.key.other"] },
      { protocols: ["corral.v1"], headers: { authorization: `Bearer ${key}` } },
      { protocols: ["corral.v1"], headers: { cookie: `key=${key}`, "x-api-key": key } },
      { protocols: ["corral.v1", "corral.role.owner"], headers: { "x-corral-role": "owner" } },
    ];
    for (const each of wrong) {
      expect([each, await attempt(each)]).toEqual([each, { status: 401 }]);
      // A page of ours is let in only to learn why, and hears nothing else.
      const fromPage = { ...each, origin: `http://127.0.0.1:${port}` };
      expect([each, await attempt(fromPage)]).toEqual([each, { closed: 4401 }]);
    }
    expect(await attempt({ protocols: ["corral.v1"], path: `/api/socket?key=${key}` })).toEqual({ status: 400 });
    expect(await attempt({ path: `/api/socket?token=${key}` })).toEqual({ status: 400 });
    expect(await attempt({ path: "/api/other" })).toEqual({ status: 400 });
    expect(await attempt({ protocols: [`corral.key.${key}`] })).toEqual({ status: 400 });
    expect(services.calls).toEqual([]);
  });

  it("never echoes the key", async () => {
    const reply = await new Promise<string>((resolve) => {
      const request = httpRequest({
        port,
        host: "127.0.0.1",
        path: "/api/socket",
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-protocol": `corral.key.${key}, corral.v1`,
        },
      });
      request.on("upgrade", (response, socket) => {
        resolve(JSON.stringify(response.rawHeaders));
        socket.destroy();
      });
      request.end();
    });
    expect(reply).toContain("corral.v1");
    expect(reply).not.toContain(key);
  });

  it("refuses two Host lines and an absolute request target", async () => {
    const raw = (head: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => socket.end(head));
        let text = "";
        socket.on("data", (part) => (text += part.toString()));
        socket.on("close", () => resolve(text));
      });
    const good = `127.0.0.1:${port}`;
    expect(await raw(`GET /api/health HTTP/1.1\r\nHost: ${good}\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 200/,
    );
    const two = `GET /api/health HTTP/1.1\r\nHost: ${good}\r\nHost: evil.test\r\nConnection: close\r\n\r\n`;
    expect(await raw(two)).toMatch(/^HTTP\/1.1 4/);
    const absolute = `GET http://evil.test/api/health HTTP/1.1\r\nHost: ${good}\r\nConnection: close\r\n\r\n`;
    expect(await raw(absolute)).toMatch(/^HTTP\/1.1 4/);
    expect(await raw(`GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 4/);
  });
});

describe("calls over the socket", () => {
  it("answers the handshake and refuses another protocol version with its code and data", async () => {
    const { client, socket } = openClient();
    const description = await client.system.handshake({ protocolVersion: PROTOCOL_VERSION, client: "test" });
    expect(description).toEqual(services.description);
    await expect(client.system.handshake({ protocolVersion: 99, client: "test" })).rejects.toMatchObject({
      code: "VERSION_MISMATCH",
      data: { host: PROTOCOL_VERSION, client: 99 },
    });
    socket.close();
  });

  it("carries a picture as bytes", async () => {
    const { client, socket } = openClient();
    const picture = await client.library.pageImage({ documentId: "d", page: 1, scale: 1 });
    expect(picture.type).toBe("image/png");
    expect([...new Uint8Array(await picture.arrayBuffer())]).toEqual([0x89, 0x50, 0x4e, 0x47, 0xff, 0, 1]);
    socket.close();
  });

  it("stops a stream on the server when the reader leaves, by break and by hanging up", async () => {
    const signals: AbortSignal[] = [];
    services.overrides.set("chat.follow", async function* (_id: string, signal: AbortSignal) {
      signals.push(signal);
      for (let done = 0; !signal.aborted; done++) {
        yield { type: "prefill-progress", done, total: 9 };
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    const { client, socket } = openClient();
    for await (const part of await client.chat.follow({ messageId: "m" })) {
      expect(part.type).toBe("prefill-progress");
      break;
    }
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    const stream = await client.chat.follow({ messageId: "m" });
    await stream.next();
    socket.terminate();
    await expect.poll(() => signals[1]?.aborted).toBe(true);
  });

  it("does not produce faster than a stalled reader takes", async () => {
    let produced = 0;
    const filler = "x".repeat(10_000);
    services.overrides.set("chat.follow", async function* (_id: string, signal: AbortSignal) {
      while (!signal.aborted && produced < 50_000) {
        produced++;
        yield { type: "text-delta", text: filler };
      }
    });
    const { client, socket } = openClient();
    const stream = await client.chat.follow({ messageId: "m" });
    await stream.next();
    socket.pause();
    let before = -1;
    // Once the sockets' buffers are full, production stands still.
    await expect
      .poll(() => produced === before || ((before = produced), false), { interval: 300, timeout: 15_000 })
      .toBe(true);
    expect(produced).toBeLessThan(50_000);
    socket.terminate();
  });

  it("survives 500 malformed frames and goes on serving others", async () => {
    const { client, socket: healthy } = openClient();
    await client.library.collections();
    let seed = 42;
    const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648), seed / 2147483648);
    const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)] as T;
    const values: unknown[] = [null, 0, -1, "", "x", [], {}, { json: null }, "__proto__", 1e308, true, { i: { i: 1 } }];
    const frame = (): string | Buffer => {
      const kind = random();
      if (kind < 0.2)
        return Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
      if (kind < 0.3) return pick(["", "{", "null", "[]", '"', "{}", "\u0000", "[1,2", '{"i":1}', "9".repeat(400)]);
      const urls = [
        "/library/collections",
        "/__proto__/x",
        "/chat/follow",
        "//",
        "/%zz",
        "http://x",
        "/constructor",
        7,
        null,
      ];
      const body = {
        u: pick<unknown>(urls),
        b: pick(values),
        h: pick(values),
        m: pick<unknown>(["GET", "POST", 5, undefined]),
      };
      const message = {
        i: pick(values),
        t: pick<unknown>([undefined, 1, 2, 3, 4, 5, "x"]),
        p: random() < 0.2 ? pick(values) : body,
      };
      const text = JSON.stringify(message);
      return random() < 0.5 ? text : text.slice(0, Math.floor(random() * text.length));
    };
    let socket: WebSocket | null = null;
    for (let count = 0; count < 500; count++) {
      if (socket === null || socket.readyState !== WebSocket.OPEN) {
        socket = new WebSocket(`ws://127.0.0.1:${port}/api/socket`, ["corral.v1", `corral.key.${key}`]);
        socket.on("error", () => undefined);
        await new Promise((resolve) => socket?.once("open", resolve));
      }
      socket.send(frame());
      if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await client.library.collections()).toEqual([]);
    socket?.terminate();
    healthy.close();
  });

  it("hangs up on a message beyond the size limit and goes on serving", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/socket`, ["corral.v1", `corral.key.${key}`]);
    await new Promise((resolve) => socket.once("open", resolve));
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.send("x".repeat(17 * 2 ** 20));
    expect(await closed).toBe(1009);
    expect(await attempt({})).toEqual({ answered: true });
  });
});
