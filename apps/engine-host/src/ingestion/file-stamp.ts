import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";

/** Tells without reading it whether a file is still the same one: size, time of the last change and inode. */
export function stampOf(status: BigIntStats): string {
  return `${status.size}:${status.mtimeNs}:${status.ino}`;
}

/** @throws what `stat` throws */
export async function readStamp(path: string): Promise<string> {
  return stampOf(await stat(path, { bigint: true }));
}
