import { EventEmitter } from "node:events";
import type { HostFrame } from "@corral/protocol";
import { describe, expect, test } from "vitest";
import { PortRelay, type PagePort } from "./port-relay.ts";

class FakePort extends EventEmitter implements PagePort {
  readonly received: unknown[] = [];
  started = false;
  closed = false;
  postMessage(message: unknown): void {
    this.received.push(message);
  }
  start(): void {
    this.started = true;
  }
  close(): void {
    this.closed = true;
    this.emit("close");
  }
}

function makeRelay(accepts = true) {
  const frames: HostFrame[] = [];
  const relay = new PortRelay((frame) => {
    if (accepts) frames.push(frame);
    return accepts;
  });
  return { relay, frames };
}

describe("PortRelay", () => {
  test("carries frames of several pages apart from each other", () => {
    const { relay, frames } = makeRelay();
    const [first, second] = [new FakePort(), new FakePort()];
    expect(relay.connect(first)).toBe(true);
    expect(relay.connect(second)).toBe(true);
    expect(first.started).toBe(true);
    second.emit("message", { data: "from second" });
    relay.fromHost({ type: "link-data", link: 1, data: "to first" });
    relay.fromHost({ type: "link-data", link: 99, data: "to nobody" });
    expect(frames).toEqual([
      { type: "link-open", link: 1 },
      { type: "link-open", link: 2 },
      { type: "link-data", link: 2, data: "from second" },
    ]);
    expect(first.received).toEqual(["to first"]);
    expect(second.received).toEqual([]);
  });

  test("passes on only what the RPC layer sends", () => {
    const { relay, frames } = makeRelay();
    const port = new FakePort();
    relay.connect(port);
    for (const data of [{ type: "shutdown" }, 1, null, undefined, () => 1]) port.emit("message", { data });
    port.emit("message", { data: new Uint8Array([1]) });
    expect(frames.slice(1)).toEqual([{ type: "link-data", link: 1, data: new Uint8Array([1]) }]);
  });

  test("tells the host once when a page goes, and closes every page when the host goes", () => {
    const { relay, frames } = makeRelay();
    const [first, second, third] = [new FakePort(), new FakePort(), new FakePort()];
    for (const port of [first, second, third]) relay.connect(port);
    first.close();
    relay.fromHost({ type: "link-close", link: 2 });
    expect(second.closed).toBe(true);
    relay.closeAll();
    expect(third.closed).toBe(true);
    expect(frames.filter((frame) => frame.type === "link-close")).toEqual([{ type: "link-close", link: 1 }]);
  });

  test("closes a page's port at once when there is no host", () => {
    const { relay } = makeRelay(false);
    const port = new FakePort();
    expect(relay.connect(port)).toBe(false);
    expect(port.closed).toBe(true);
  });
});
