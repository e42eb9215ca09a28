import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { stampOf } from "./file-stamp.ts";
import { formatOf } from "./file-types.ts";

/** Looked at at the same time: enough to hide the latency of a network folder. */
const together = 32;

/** What a look at a folder found. */
export interface FolderScan {
  /** Files of a kind that Corral reads: their stamps by path. */
  files: Map<string, { stamp: string; changedAtMs: number }>;
  directories: Set<string>;
  /** Folders in it that could not be looked into: nothing is known of what is below them. */
  unreadable: string[];
}

/** Folders of programs, which people do not mean when they say "my documents". */
const skippedFolders = new Set([
  "node_modules",
  "__pycache__",
  "$RECYCLE.BIN",
  "System Volume Information",
  "lost+found",
]);
/** What programs keep while they write or load a file: lock files of Office, partial downloads, backups. */
const temporary = /^~|~$|\.(?:tmp|temp|part|partial|crdownload|download|opdownload|swp|bak)$/i;

/** True for names that a followed folder leaves out: hidden ones, and what programs keep for a while. */
function isLeftOut(name: string): boolean {
  return name.startsWith(".") || temporary.test(name) || skippedFolders.has(name);
}

/**
 * Looks at all files below a folder without opening them. Links are not followed.
 * @param left a folder that is left out (Corral's own)
 * @throws when the folder itself cannot be read
 */
export async function scanFolder(root: string, left: string, signal: AbortSignal): Promise<FolderScan> {
  const scan: FolderScan = { files: new Map(), directories: new Set(), unreadable: [] };
  const open = [root];
  while (open.length > 0) {
    signal.throwIfAborted();
    const found = await Promise.all(
      open.splice(0, together).map(async (directory) => ({ directory, entries: await list(directory, root, scan) })),
    );
    for (const { directory, entries } of found) {
      if (!entries) continue;
      scan.directories.add(directory);
      const files: string[] = [];
      for (const entry of entries) {
        const path = join(directory, entry.name);
        if (isLeftOut(entry.name) || path === left) continue;
        if (entry.isDirectory()) open.push(path);
        else if (entry.isFile() && formatOf(entry.name) !== null) files.push(path);
      }
      for (let i = 0; i < files.length; i += together) {
        signal.throwIfAborted();
        await Promise.all(files.slice(i, i + together).map((path) => look(path, scan)));
      }
    }
  }
  return scan;
}

/** True when nothing is known about a path because a folder above it could not be read. */
export function isUnknown(scan: FolderScan, path: string): boolean {
  return scan.unreadable.some((folder) => path === folder || path.startsWith(folder + sep));
}

async function list(directory: string, root: string, scan: FolderScan): Promise<Dirent[] | null> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (directory === root) throw error;
    // A folder that is gone meanwhile holds nothing; of one that cannot be read we know nothing.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") scan.unreadable.push(directory);
    return null;
  }
}

async function look(path: string, scan: FolderScan): Promise<void> {
  try {
    const status = await stat(path, { bigint: true });
    scan.files.set(path, { stamp: stampOf(status), changedAtMs: Number(status.mtimeMs) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") scan.unreadable.push(path);
  }
}
