import { EventEmitter } from "node:events";
import type { FromHost, ToHost } from "@corral/protocol";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { EngineHostProcess, type HostChild, type HostState } from "./engine-host-process.ts";

class FakeChild extends EventEmitter implements HostChild {
  readonly sent: ToHost[] = [];
  readonly signals: string[] = [];
  send(message: ToHost): boolean {
    this.sent.push(message);
    return true;
  }
  kill(signal: "SIGTERM" | "SIGKILL"): boolean {
    this.signals.push(signal);
    return true;
  }
  says(message: FromHost): void {
    this.emit("message", message);
  }
  dies(): void {
    this.emit("exit", null, "SIGKILL");
  }
}

function makeHost() {
  const children: FakeChild[] = [];
  const states: HostState[] = [];
  const frames: unknown[] = [];
  const host = new EngineHostProcess({
    spawn: () => {
      const child = new FakeChild();
      children.push(child);
      return child;
    },
    timers: {
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer as never),
    },
    onState: (state) => states.push(state),
    onFrame: (frame) => frames.push(frame),
  });
  const child = () => children.at(-1)!;
  return { host, children, states, frames, child };
}

describe("EngineHostProcess", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  test("is ready when the host says so, and passes frames both ways", () => {
    const { host, child, states, frames } = makeHost();
    host.start();
    expect(host.send({ type: "link-open", link: 1 })).toBe(false);
    child().says({ type: "ready" });
    expect(states.map((state) => state.kind)).toEqual(["starting", "ready"]);
    expect(host.send({ type: "link-open", link: 1 })).toBe(true);
    expect(child().sent).toEqual([{ type: "link-open", link: 1 }]);
    child().says({ type: "link-data", link: 1, data: "hello" });
    child().says({ type: "heartbeat" });
    expect(frames).toEqual([{ type: "link-data", link: 1, data: "hello" }]);
  });

  test("restarts a dead host after 1, 2, 4 … at most 60 s, and starts over once one was healthy", () => {
    const { host, children, child, states } = makeHost();
    host.start();
    const waits: number[] = [];
    for (let death = 0; death < 8; death++) {
      child().dies();
      const state = states.at(-1);
      if (state?.kind !== "restarting") throw new Error("not restarting");
      waits.push(state.inMs);
      vi.advanceTimersByTime(state.inMs - 1);
      expect(children).toHaveLength(death + 1);
      vi.advanceTimersByTime(1);
      expect(children).toHaveLength(death + 2);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
    child().says({ type: "ready" });
    for (let beat = 0; beat < 31; beat++) {
      vi.advanceTimersByTime(2000);
      child().says({ type: "heartbeat" });
    }
    child().dies();
    expect(states.at(-1)).toEqual({ kind: "restarting", inMs: 1000 });
  });

  test("kills a host that falls silent", () => {
    const { host, child } = makeHost();
    host.start();
    child().says({ type: "ready" });
    vi.advanceTimersByTime(14_000);
    child().says({ type: "heartbeat" });
    vi.advanceTimersByTime(14_999);
    expect(child().signals).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(child().signals).toEqual(["SIGKILL"]);
  });

  test("does not restart a host that said why it cannot start; a new start may be asked for", () => {
    const { host, children, child, states } = makeHost();
    host.start();
    child().says({ type: "failed", code: "DATA_DIRECTORY_IN_USE", message: "Another Corral uses it." });
    child().dies();
    expect(states.at(-1)).toEqual({
      kind: "failed",
      code: "DATA_DIRECTORY_IN_USE",
      message: "Another Corral uses it.",
    });
    vi.advanceTimersByTime(120_000);
    expect(children).toHaveLength(1);
    host.start();
    expect(children).toHaveLength(2);
  });

  test("stops by asking first and by force after 8 s", async () => {
    const { host, child, states } = makeHost();
    host.start();
    child().says({ type: "ready" });
    const stopped = host.stop();
    expect(child().sent).toEqual([{ type: "shutdown" }]);
    vi.advanceTimersByTime(7_999);
    expect(child().signals).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(child().signals).toEqual(["SIGKILL"]);
    child().dies();
    await stopped;
    expect(states.at(-1)).toEqual({ kind: "stopped" });
    host.start();
    expect(states.at(-1)).toEqual({ kind: "stopped" });
  });

  test("a spawn that fails counts as a death", () => {
    const { host, child, states } = makeHost();
    host.start();
    child().emit("error", new Error("ENOENT"));
    child().dies();
    expect(states.filter((state) => state.kind === "restarting")).toHaveLength(1);
  });
});
