/** What the number of threads is chosen by. */
export interface ProcessorUse {
  physicalCores: number;
  logicalCores: number;
  /** Runnable threads of all programs, averaged over a minute (`os.loadavg()[0]`); 0 where the system does not tell. */
  loadAverage: number;
}

/**
 * Threads for a model that computes on the CPU: one for each physical core that others leave alone, at least one. ggml's
 * threads spin while they wait for each other after each step, so one that has to share its core holds up all of them:
 * measured on 2 cores at load 11, a 100 M model wrote 2 tokens per second with two threads and 127 with one.
 */
export function threadsFor({ physicalCores, logicalCores, loadAverage }: ProcessorUse): number {
  // On a single core its second hardware thread still helps.
  const cores = Math.max(1, physicalCores, Math.min(2, logicalCores));
  const busy = Number.isFinite(loadAverage) ? Math.round(Math.max(0, loadAverage)) : 0;
  return Math.max(1, cores - busy);
}
