import { type AddResult, CorralError, type FollowedFolder, type FolderState } from "@corral/protocol";
import type { FolderFile, Store } from "../store/store.ts";
import { fileSystemError, folderEmptied } from "./file-errors.ts";
import { FolderWatcher } from "./folder-watcher.ts";
import { type FolderScan, isUnknown, scanFolder } from "./scan-folder.ts";

export interface FollowTimes {
  /** A file that changed less than this ago may still be being written; it is looked at again then. Milliseconds. */
  settleMs: number;
  /** Changes are gathered for this long. Milliseconds. */
  gatherMs: number;
  /** A folder that tells of its changes is looked at all the same, after this time; another one only then. Milliseconds. */
  intervalMs: { following: number; polling: number; missing: number };
}

export const followTimes: FollowTimes = {
  settleMs: 2_000,
  gatherMs: 500,
  intervalMs: { following: 15 * 60_000, polling: 2 * 60_000, missing: 60_000 },
};
/** After a look of some length comes a pause of so many times that length, however much changes meanwhile. */
const pauseShare = 10;
/** Files added at the same time. */
const together = 8;
/** Files noted in one transaction. */
const notedTogether = 200;

export interface FollowOptions {
  folder: FollowedFolder;
  store: Store;
  /** Corral's own folder, left out when it lies inside. */
  dataDirectory: string;
  times: FollowTimes;
  /** Adds a file, or finds the document that has this content already. */
  add(path: string, stamp: string): Promise<AddResult>;
  /** The content of a document lies at another path now. */
  relocate(documentId: string, path: string, stamp: string): Promise<void>;
  remove(documentId: string): Promise<void>;
  onChange(folder: FollowedFolder): void;
  onFailure(error: unknown): void;
}

/**
 * Keeps a collection as its folder is: looks at the whole folder at the start, when something changed in it, and now and then,
 * and compares what is there with what was there. A folder that is gone or empty all of a sudden takes no documents with it:
 * a share that is offline looks the same.
 */
export class FollowFolder implements AsyncDisposable {
  readonly #options: FollowOptions;
  readonly #stop = new AbortController();
  readonly #watcher: FolderWatcher;
  #timer: { at: number; handle: NodeJS.Timeout } | null = null;
  #looking: Promise<void> | null = null;
  #changed = false;
  #hasCompared = false;
  #notBefore = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#watcher = new FolderWatcher(options.folder.path, () => this.#lookIn(options.times.gatherMs));
    this.#lookIn(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer.handle);
    this.#watcher[Symbol.dispose]();
    await this.#looking;
  }

  /** Looks again after this time, or earlier where that is due earlier. Milliseconds. */
  #lookIn(ms: number): void {
    if (this.#stop.signal.aborted) return;
    if (this.#looking) {
      this.#changed = true;
      return;
    }
    const at = Math.max(performance.now() + ms, this.#notBefore);
    if (this.#timer && this.#timer.at <= at) return;
    if (this.#timer) clearTimeout(this.#timer.handle);
    const handle = setTimeout(
      () => {
        this.#timer = null;
        this.#looking = this.#look().finally(() => {
          this.#looking = null;
          if (this.#changed) this.#lookIn(this.#options.times.gatherMs);
          this.#changed = false;
        });
      },
      Math.max(0, at - performance.now()),
    );
    handle.unref();
    this.#timer = { at, handle };
  }

  async #look(): Promise<void> {
    const { folder, dataDirectory, times, onFailure } = this.#options;
    const { signal } = this.#stop;
    const began = performance.now();
    let after: FolderState = "failed";
    try {
      await this.#enter("checking", null);
      const scan = await scanFolder(folder.path, dataDirectory, signal);
      after = (await this.#watcher.watch(scan.directories)) ? "following" : "polling";
      const lookedFor = performance.now() - began;
      this.#notBefore = performance.now() + lookedFor * pauseShare;
      const known = new Map((await this.#options.store.folders.files(folder.id)).map((file) => [file.path, file]));
      if (scan.files.size === 0 && [...known.values()].some((file) => file.documentId !== null)) {
        after = "missing";
        await this.#enter("missing", folderEmptied(folder.path));
      } else {
        const isSettled = await this.#compare(scan, known);
        // Whoever has just put files there and follows the folder waits for them too, but not for one that never settles.
        if (isSettled || this.#hasCompared) await this.#enter(after, null);
        this.#hasCompared = true;
        if (!isSettled) this.#changed = true;
        if (!isSettled) this.#notBefore = Math.max(this.#notBefore, performance.now() + times.settleMs);
      }
    } catch (error) {
      if (signal.aborted) return;
      const known = fileSystemError(folder.path, error);
      const isGone = known instanceof CorralError && known.code === "FILE_NOT_FOUND";
      after = isGone ? "missing" : "failed";
      if (!(known instanceof CorralError)) onFailure(error);
      await this.#enter(after, known).catch(onFailure);
    }
    if (!this.#changed) {
      const { following, polling, missing } = times.intervalMs;
      setImmediate(() => this.#lookIn(after === "following" ? following : after === "polling" ? polling : missing));
    }
  }

  /** Makes the collection as the folder is. @returns false when some file may still be being written */
  async #compare(scan: FolderScan, known: Map<string, FolderFile>): Promise<boolean> {
    const { folder, store, times, relocate, remove } = this.#options;
    const { signal } = this.#stop;
    const gone = new Map<string, FolderFile>();
    for (const [path, file] of known) if (!scan.files.has(path) && !isUnknown(scan, path)) gone.set(path, file);
    const goneByStamp = new Map([...gone.values()].map((file) => [file.stamp, file]));
    let isSettled = true;
    const noted: FolderFile[] = [];
    const note = async (file: FolderFile, least = notedTogether) => {
      noted.push(file);
      if (noted.length >= least) await store.folders.putFiles(folder.id, noted.splice(0));
    };
    const changed = [...scan.files].filter(([path, { stamp }]) => known.get(path)?.stamp !== stamp);
    const takeNext = async (): Promise<void> => {
      for (let next = changed.shift(); next; next = changed.shift()) {
        signal.throwIfAborted();
        const [path, { stamp, changedAtMs }] = next;
        const moved = known.has(path) ? undefined : goneByStamp.get(stamp);
        if (moved) {
          if (moved.documentId) await relocate(moved.documentId, path, stamp);
          // Noted before the old place is forgotten, so that the document always has a file that stands for it.
          await note({ ...moved, path }, 1);
        } else if (Math.abs(Date.now() - changedAtMs) < times.settleMs) isSettled = false;
        else {
          const { document, error } = await this.#options.add(path, stamp);
          await note({ path, stamp, documentId: document?.id ?? null, error });
        }
      }
    };
    // Newest first: what somebody has just put there is what somebody looks for.
    changed.sort(([, a], [, b]) => b.changedAtMs - a.changedAtMs);
    await Promise.all(Array.from({ length: together }, takeNext));
    await store.folders.putFiles(folder.id, noted);
    signal.throwIfAborted();
    const left = await store.folders.removeFiles(folder.id, [...gone.keys()]);
    for (const { documentId, path, stamp } of left.moved) await relocate(documentId, path, stamp);
    for (const id of left.unused) await remove(id);
    return isSettled;
  }

  async #enter(state: FolderState, error: unknown): Promise<void> {
    const { folder, store, onChange } = this.#options;
    const report = error === null ? null : CorralError.reportOf(error);
    const checkedAt = state === "following" || state === "polling" ? new Date().toISOString() : null;
    const now = await store.folders.setState(folder.id, state, report, checkedAt);
    if (now) onChange(now);
  }
}
