import { Worker } from "node:worker_threads";

/** How often the watch looks, ms. Promise T-73: no child is left 3 s after its parent died. */
const intervalMs = 1000;

/** Runs as its own thread, so that it works while this process's event loop is blocked. Windows keeps the old ppid. */
const program = `
const { workerData } = require("node:worker_threads");
const isGone = () => {
  if (process.ppid !== workerData.parent) return true;
  try { process.kill(workerData.parent, 0); return false; } catch (error) { return error.code === "ESRCH"; }
};
setInterval(() => { if (isGone()) process.kill(process.pid, "SIGKILL"); }, workerData.intervalMs);
`;

/**
 * Ends this process when the one that started it is gone, so that a crash of engine-host leaves no worker holding GPU
 * memory. The closing IPC channel tells at once; the thread is for a worker that is stuck just then.
 * @param parent process id of engine-host
 */
export function endWithParent(parent: number): void {
  // Not process.exit: its clean-up would wait for, or trip over, an evaluation that is still running.
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  const watch = new Worker(program, { eval: true, execArgv: [], workerData: { parent, intervalMs } });
  watch.unref();
}
