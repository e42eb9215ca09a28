import { execFile } from "node:child_process";
import type { GpuDevice } from "@corral/protocol";

const mebibyte = 2 ** 20;
const fields = ["index", "uuid", "name", "memory.total", "memory.free", "driver_version"];

/**
 * The NVIDIA GPUs as the driver's own tool sees them; null when there is no such tool.
 * @param program nvidia-smi, or its path
 * @throws Error when the tool fails, for example because the driver does not run
 */
export async function readNvidiaGpus(
  program: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<GpuDevice[] | null> {
  const query = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
  const output = await new Promise<string | null>((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      killSignal: "SIGKILL" as const,
      maxBuffer: mebibyte,
      windowsHide: true,
      signal,
    };
    execFile(program, query, options, (error, stdout) => {
      if (!error) resolve(stdout);
      else if (error.code === "ENOENT") resolve(null);
      else if (error.killed) reject(new Error(`it did not answer within ${timeoutMs / 1000} s`));
      else reject(new Error(stdout.trim().split("\n").at(-1)?.slice(0, 200) || `it failed (${String(error.code)})`));
    });
  });
  return output === null ? null : parseNvidiaSmi(output);
}

/** One GPU per line of nvidia-smi's CSV; a line that makes no sense is left out. Memory comes in MiB. */
export function parseNvidiaSmi(output: string): GpuDevice[] {
  return output.split("\n").flatMap((line) => {
    const [index, uuid, name, total, free, driver] = line.split(",").map((cell) => cell.trim());
    if (!uuid || !name || !/^\d+$/.test(index ?? "")) return [];
    return [
      {
        id: uuid,
        index: Number(index),
        name,
        vendor: "NVIDIA",
        totalBytes: bytesOf(total),
        freeBytes: bytesOf(free),
        driver: driver || null,
        source: "nvidia-smi",
      },
    ];
  });
}

/** "[N/A]" and the like: unknown. */
function bytesOf(mebibytes: string | undefined): number | null {
  return mebibytes && /^\d+$/.test(mebibytes) ? Number(mebibytes) * mebibyte : null;
}
