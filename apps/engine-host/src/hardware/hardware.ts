import type { HardwareSnapshot } from "@corral/protocol";

/** What this machine has right now. */
export interface Hardware {
  /** Reads everything anew; a hung or missing tool costs at most 2 s and a note. */
  snapshot(signal?: AbortSignal): Promise<HardwareSnapshot>;
}
