import { realpath, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { FollowedFolder } from "@corral/protocol";
import type { Store } from "../store/store.ts";
import type { Documents } from "./documents.ts";
import { fileSystemError, notAFolder } from "./file-errors.ts";
import { FollowFolder, type FollowTimes, followTimes } from "./follow-folder.ts";

export interface FollowedFoldersOptions {
  store: Store;
  documents: Documents;
  dataDirectory: string;
  times?: Partial<FollowTimes>;
  onChange(folder: FollowedFolder): void;
  onRemoved(folderId: string): void;
  onFailure(error: unknown): void;
}

/** The folders that collections follow. */
export class FollowedFolders implements AsyncDisposable {
  readonly #options: FollowedFoldersOptions;
  readonly #running = new Map<string, FollowFolder>();

  constructor(options: FollowedFoldersOptions) {
    this.#options = options;
  }

  /** Goes on following what was followed. */
  async resume(): Promise<void> {
    for (const folder of await this.#options.store.folders.list()) this.#follow(folder);
  }

  list(): Promise<FollowedFolder[]> {
    return this.#options.store.folders.list();
  }

  /** @throws CorralError INVALID_INPUT (no folder), FILE_NOT_FOUND, FILE_UNREADABLE, COLLECTION_NOT_FOUND */
  async add(collectionId: string, given: string): Promise<FollowedFolder> {
    const { store, onChange } = this.#options;
    let path: string;
    try {
      path = await realpath(resolve(given));
      if (!(await stat(path)).isDirectory()) throw notAFolder(path);
    } catch (error) {
      throw fileSystemError(given, error);
    }
    const folder = await store.folders.add(collectionId, path);
    onChange(folder);
    this.#follow(folder);
    return folder;
  }

  /** Stops following; an unknown folder is no error. */
  async remove(id: string, removeDocuments: boolean): Promise<void> {
    const { store, documents, onRemoved } = this.#options;
    await this.#stop(id);
    const files = removeDocuments ? await store.folders.files(id) : [];
    const { unused } = await store.folders.removeFiles(
      id,
      files.map((file) => file.path),
    );
    await store.folders.remove(id);
    onRemoved(id);
    for (const document of unused) await documents.removeFile(document);
  }

  /** Stops following the folders of a collection that is going away. */
  async stopOf(collectionId: string): Promise<void> {
    const folders = (await this.list()).filter((folder) => folder.collectionId === collectionId);
    for (const folder of folders) {
      await this.#stop(folder.id);
      this.#options.onRemoved(folder.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)));
  }

  #follow(folder: FollowedFolder): void {
    if (this.#running.has(folder.id)) return;
    const { store, documents, dataDirectory, times, onChange, onFailure } = this.#options;
    const relocate = async (id: string, path: string, stamp: string) => {
      const moved = await store.documents.relocate(id, { name: basename(path), path, stamp });
      documents.changed(moved);
    };
    const follower = new FollowFolder({
      ...{ folder, store, dataDirectory, onChange, onFailure, relocate },
      times: { ...followTimes, ...times },
      add: (path) => documents.addPath(folder.collectionId, path, true),
      remove: (id) => documents.removeFile(id),
    });
    this.#running.set(folder.id, follower);
  }

  async #stop(id: string): Promise<void> {
    const follower = this.#running.get(id);
    this.#running.delete(id);
    await follower?.[Symbol.asyncDispose]();
  }
}
