import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Llama } from "node-llama-cpp";

const headBytes = 64 * 1024;

/**
 * Tells a model file apart from any other, and one way of loading it from another, so that a kept KV cache is never given
 * to a model it does not belong to. By size, time and beginning of the file: hashing all of it would take minutes.
 */
export function modelIdentity(path: string, llama: Llama, kvCacheType: string): string {
  const file = openSync(path, "r");
  try {
    const { size, mtimeMs } = fstatSync(file);
    const head = Buffer.alloc(Math.min(headBytes, size));
    readSync(file, head, 0, head.length, 0);
    const { release } = llama.llamaCppRelease;
    return createHash("sha256")
      .update(JSON.stringify([size, mtimeMs, kvCacheType, release]))
      .update(head)
      .digest("hex");
  } finally {
    closeSync(file);
  }
}
