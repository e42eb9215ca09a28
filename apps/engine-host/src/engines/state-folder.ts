import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * Where the kept KV caches of one owner lie: a folder of their own, so that all can be found, and removed, without a model.
 * The name tells nothing about the owner.
 */
export function stateFolderOf(directory: string, owner: string): string {
  return join(directory, createHash("sha256").update(owner).digest("hex").slice(0, 32));
}
