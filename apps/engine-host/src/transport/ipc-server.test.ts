import { EventEmitter } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CorralClient, FromHost } from "@corral/protocol";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/message-port";
import { fakeServices, type FakeServices } from "../router/testing/fake-services.ts";
import { serveIpc, startHeartbeat } from "./ipc-server.ts";

/** The shell's side of the channel; messages are copied as the advanced serialization does. */
class FakeChannel extends EventEmitter {
  readonly sent: FromHost[] = [];
  onSent: (message: FromHost) => void = () => undefined;
  send(message: FromHost, callback: (error: Error | null) => void): void {
    const copy = structuredClone(message);
    this.sent.push(copy);
    setImmediate(() => {
      callback(null);
      this.onSent(copy);
    });
  }
  receive(message: unknown): void {
    this.emit("message", structuredClone(message));
  }
}

let services: FakeServices;
let channel: FakeChannel;
let serving: Disposable;
const onShutdown = vi.fn();

beforeEach(() => {
  services = fakeServices();
  channel = new FakeChannel();
  onShutdown.mockReset();
  serving = serveIpc(channel, services, onShutdown);
});
afterEach(() => serving[Symbol.dispose]());

/** A page: its port is relayed over the channel as link `link`, as the desktop shell does it. */
function openPage(link: number): CorralClient {
  const { port1: pagePort, port2: shellPort } = new MessageChannel();
  channel.receive({ type: "link-open", link });
  shellPort.on("message", (data: string | Uint8Array) => channel.receive({ type: "link-data", link, data }));
  const before = channel.onSent;
  channel.onSent = (message) => {
    before(message);
    if (message.type === "link-data" && message.link === link) shellPort.postMessage(message.data);
  };
  shellPort.unref();
  pagePort.unref();
  return createORPCClient<CorralClient>(new RPCLink({ port: pagePort }));
}

it("says ready, and serves several pages, each on its own link", async () => {
  expect(channel.sent[0]).toEqual({ type: "ready" });
  const first = openPage(1);
  const second = openPage(2);
  expect(await first.library.collections()).toEqual([]);
  const picture = await second.library.pageImage({ documentId: "d", page: 1, scale: 1 });
  expect([...new Uint8Array(await picture.arrayBuffer())].slice(0, 4)).toEqual([0x89, 0x50, 0x4e, 0x47]);
});

it("ends a page's streams when its link closes, and no other's", async () => {
  const signals: AbortSignal[] = [];
  services.overrides.set("chat.follow", async function* (_id: string, signal: AbortSignal) {
    signals.push(signal);
    while (!signal.aborted) {
      yield { type: "prefill-progress", done: 1, total: 2 };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  const first = await openPage(1).chat.follow({ messageId: "m" });
  const second = await openPage(2).chat.follow({ messageId: "m" });
  await first.next();
  await second.next();
  channel.receive({ type: "link-close", link: 1 });
  await expect.poll(() => signals[0]?.aborted).toBe(true);
  expect(signals[1]?.aborted).toBe(false);
});

it("closes a link that sends garbage, and ignores frames that are none", async () => {
  const page = openPage(1);
  expect(await page.library.collections()).toEqual([]);
  channel.receive({ type: "link-open", link: 2 });
  channel.receive({ type: "link-data", link: 2, data: "{ not a frame" });
  await expect.poll(() => channel.sent).toContainEqual({ type: "link-close", link: 2 });
  for (const odd of [
    null,
    7,
    "x",
    {},
    { type: "link-data", link: "1", data: "x" },
    { type: "link-data", link: 1, data: 5 },
  ]) {
    channel.receive(odd);
  }
  channel.receive({ type: "link-data", link: 99, data: "{}" });
  channel.receive({ type: "link-data", link: 1, data: new Uint8Array([255, 254, 0]).buffer });
  expect(await openPage(3).library.collections()).toEqual([]);
});

it("hands the shell's wish to stop on", () => {
  channel.receive({ type: "shutdown" });
  expect(onShutdown).toHaveBeenCalledOnce();
});

it("beats every two seconds until stopped", () => {
  vi.useFakeTimers();
  try {
    const heartbeat = startHeartbeat(channel);
    const beats = () => channel.sent.filter(({ type }) => type === "heartbeat").length;
    expect(beats()).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(beats()).toBe(6);
    heartbeat[Symbol.dispose]();
    vi.advanceTimersByTime(10_000);
    expect(beats()).toBe(6);
  } finally {
    vi.useRealTimers();
  }
});
