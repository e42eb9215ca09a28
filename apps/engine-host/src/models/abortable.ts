import { setTimeout as sleep } from "node:timers/promises";
import { CorralError } from "@corral/protocol";

export function cancelled(): CorralError<"CANCELLED"> {
  return new CorralError("CANCELLED", "Stopped on request.", {});
}

/** The promise, left as soon as the signal aborts. @throws CorralError CANCELLED */
export async function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw cancelled();
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = () => reject(cancelled());
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** Time as models see it; tests bring their own. */
export interface Clock {
  /** Monotonic, ms. */
  now(): number;
  /** @throws CorralError CANCELLED */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    await sleep(ms, undefined, { signal }).catch(() => {
      throw cancelled();
    });
  },
};
