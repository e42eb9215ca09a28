import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";
import { Worker } from "node:worker_threads";
import type { MemoryLimitMark } from "../ingestion/worker-channel.ts";

/**
 * Takes the network away from everything in this process that is JavaScript, by replacing the few functions that every
 * client goes through. A seat belt: no parser here asks for the network, and nobody should be able to make one ask.
 */
export function denyNetwork(): void {
  const deny = () => {
    throw new Error("The ingestion worker has no network.");
  };
  net.Socket.prototype.connect = deny;
  net.Server.prototype.listen = deny;
  dgram.Socket.prototype.bind = deny;
  dgram.Socket.prototype.send = deny;
  dgram.Socket.prototype.connect = deny;
  for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveAny", "reverse"] as const) {
    Object.defineProperty(dns, name, { value: deny });
    Object.defineProperty(dns.promises, name, { value: deny });
  }
  for (const name of ["fetch", "WebSocket", "EventSource"]) Object.defineProperty(globalThis, name, { value: deny });
}

/** How often memory is looked at. A parser fills some tens of MiB in this time at the most. Milliseconds. */
const watchInterval = 50;

/**
 * Ends this process as soon as it holds more than `limitBytes` of memory, or has lost its parent. Runs on a thread of its
 * own, so it works while a parser blocks the main thread, which messages to the host would not.
 */
export function watchMemory(limitBytes: number): void {
  const mark: MemoryLimitMark = "corral: memory limit reached";
  const watch = `
    const fs = require("node:fs");
    const parent = process.ppid;
    setInterval(() => {
      const over = process.memoryUsage.rss() > ${limitBytes};
      if (over) fs.writeSync(2, ${JSON.stringify(`${mark}\n`)});
      if (over || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
    }, ${watchInterval});`;
  new Worker(watch, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref();
}
