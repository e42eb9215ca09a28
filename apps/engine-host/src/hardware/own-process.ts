import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IsOurs } from "./gpu-reading.ts";

/** A chain of parents longer than this is none of ours. */
const longestChain = 16;

/**
 * Tells whether a process is this one or was started by it, from Linux's /proc. Elsewhere the answer is always no: macOS
 * and Windows do not tell how much of a GPU's memory a process has anyway.
 * @param root where procfs is mounted
 * @param own this process
 */
export function ownProcesses(root = "/proc", own = process.pid): IsOurs {
  return async (pid) => {
    let current = pid;
    for (let step = 0; step < longestChain && current > 1; step++) {
      if (current === own) return true;
      const status = await readFile(join(root, String(current), "status"), "utf8").catch(() => "");
      current = Number(/^PPid:\s*(\d{1,10})$/m.exec(status)?.[1] ?? 0);
    }
    return false;
  };
}
