import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The inference worker's program. In the repository it is TypeScript that Node runs as it is; in a packed app the
 * bundler puts it, as `inference-worker.js`, beside the bundle this file became part of.
 */
export function inferenceWorkerPath(): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith(".ts")
    ? join(dirname(here), "..", "inference-worker", "worker.ts")
    : join(dirname(here), "inference-worker.js");
}
