import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The inference worker's program. */
export function inferenceWorkerPath(): string {
  return programPath("worker.ts", "inference-worker.js");
}

/** The program of the yardstick that `corral bench` compares with. */
export function bareLoopPath(): string {
  return programPath("bare-loop.ts", "bare-loop.js");
}

/**
 * In the repository a program is TypeScript that Node runs as it is; in a packed app the bundler puts it beside the bundle
 * this file became part of.
 */
function programPath(source: string, bundle: string): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith(".ts") ? join(dirname(here), "..", "inference-worker", source) : join(dirname(here), bundle);
}
