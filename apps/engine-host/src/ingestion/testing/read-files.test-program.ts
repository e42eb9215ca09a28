import { formatOf } from "../file-types.ts";
import { readLimits } from "../reading-queue.ts";
import { WorkerPool } from "../worker-pool.ts";

/**
 * Reads the files named on the command line with real workers, so that they can be watched from outside. The first argument
 * is a folder with data for text recognition, or "none".
 */
const [directory, ...paths] = process.argv.slice(2);
const recognition = directory === "none" ? null : { directory: directory!, languages: ["eng"], threads: 1 };
await using workers = new WorkerPool({ readers: 1 });
for (const path of paths) {
  const job = { type: "read", path, format: formatOf(path)!, limits: readLimits, recognition } as const;
  await workers.read(job, { timeoutMs: 60_000, signal: new AbortController().signal }).catch(() => null);
}
