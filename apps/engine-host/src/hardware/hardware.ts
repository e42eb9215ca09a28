import type { HardwareSample, HardwareSnapshot } from "@corral/protocol";

/** What this machine has right now. */
export interface Hardware {
  /**
   * Reads everything anew; a hung or missing tool costs at most 2 s and a note.
   * @throws CorralError CANCELLED
   */
  snapshot(signal?: AbortSignal): Promise<HardwareSnapshot>;
  /**
   * What changes from second to second, once a second until the signal aborts. All watchers share one sampling, which runs
   * only while there are any; one that reads slowly misses samples, never the newest.
   */
  watch(signal: AbortSignal): AsyncIterable<HardwareSample>;
}
