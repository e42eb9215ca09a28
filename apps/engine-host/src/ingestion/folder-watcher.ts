import { type FSWatcher, watch } from "node:fs";
import { statfs } from "node:fs/promises";

/**
 * Types of file systems whose changes by other machines the kernel does not tell of (statfs(2)): NFS, SMB, CIFS, SMB2, FUSE
 * (sshfs and others), 9P, Ceph, AFS.
 */
const remote = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f]);

/** Notices that something changes below a folder, not what: that a new look finds out. */
export class FolderWatcher implements Disposable {
  readonly #root: string;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #isRemote: boolean | null = null;
  #gaveUp = false;

  constructor(root: string, onChange: () => void) {
    this.#root = root;
    this.#onChange = onChange;
  }

  /**
   * Watches these folders from now on, and no others.
   * @returns false when the system cannot tell of changes here (a network folder, or more folders than it can watch)
   */
  async watch(directories: ReadonlySet<string>): Promise<boolean> {
    this.#isRemote ??= await isRemote(this.#root);
    if (this.#isRemote || this.#gaveUp) return false;
    // Elsewhere one watcher sees all that is below a folder. On Linux Node would make one for each file.
    const wanted = process.platform === "linux" ? directories : new Set([this.#root]);
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) if (!this.#gaveUp && !this.#watchers.has(directory)) this.#add(directory);
    return !this.#gaveUp;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(directory: string): void {
    try {
      const options = { persistent: false, recursive: process.platform !== "linux" };
      const watcher = watch(directory, options, () => this.#onChange());
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(directory);
        this.#onChange();
      });
      this.#watchers.set(directory, watcher);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Gone meanwhile: the next look knows.
      if (code === "ENOENT" || code === "ENOTDIR") return;
      this.#gaveUp = true;
      this[Symbol.dispose]();
    }
  }
}

async function isRemote(path: string): Promise<boolean> {
  if (process.platform === "win32") return path.startsWith("\\\\");
  if (process.platform !== "linux") return false;
  return remote.has((await statfs(path)).type);
}
