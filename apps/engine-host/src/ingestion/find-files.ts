import { readdir, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { CorralError } from "@corral/protocol";
import { emptyFolder, fileSystemError, notAFile } from "./file-errors.ts";

/** A file that was found, or why there is none at a path. */
export type FoundFile = { path: string; error: null } | { path: string; error: CorralError };

/**
 * The files at a path: the file itself, or all files in the folder and its folders, in the order of their names. Left out
 * are names that begin with a dot, and links that lead out of the folder or back into it.
 */
export async function* findFiles(given: string): AsyncGenerator<FoundFile> {
  const path = resolve(given);
  try {
    const status = await stat(path);
    if (status.isFile()) yield { path, error: null };
    else if (!status.isDirectory()) yield { path, error: notAFile(path) };
    else {
      let found = false;
      const seen = new Set<string>();
      for await (const file of walk(path, await realpath(path), seen)) {
        found = true;
        yield file;
      }
      if (!found) yield { path, error: emptyFolder(path) };
    }
  } catch (error) {
    const known = fileSystemError(path, error);
    if (known === error) throw error;
    yield { path, error: known as CorralError };
  }
}

async function* walk(folder: string, root: string, seen: Set<string>): AsyncGenerator<FoundFile> {
  const real = await realpath(folder);
  if (seen.has(real)) return;
  seen.add(real);
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => null);
      if (!target?.startsWith(root + sep)) continue;
    }
    try {
      const status = entry.isSymbolicLink() ? await stat(path) : entry;
      if (status.isDirectory()) yield* walk(path, root, seen);
      else if (status.isFile()) yield { path, error: null };
    } catch (error) {
      const known = fileSystemError(path, error);
      if (known === error) throw error;
      yield { path, error: known as CorralError };
    }
  }
}
