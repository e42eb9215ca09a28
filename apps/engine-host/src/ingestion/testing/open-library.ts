import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddResult, DocumentSummary } from "@corral/protocol";
import { afterEach, beforeEach } from "vitest";
import { openStore } from "../../store/open-store.ts";
import type { Store, StoredChunk } from "../../store/store.ts";
import { createLibrary, type LibraryOptions } from "../create-library.ts";
import type { Library } from "../library.ts";

/** The real library over the real store and real worker processes, in a directory of its own. */
export interface LibraryRoom {
  readonly library: Library;
  readonly store: Store;
  /** A collection to add to. */
  readonly collectionId: string;
  readonly dataDirectory: string;
  /** A path in the folder of the test. */
  path(name: string): string;
  /** Writes a file into the folder of the test and answers its path. */
  put(name: string, content: string | Uint8Array): Promise<string>;
  add(...paths: string[]): Promise<AddResult[]>;
  /** The documents once none of them is waiting or being read any more. */
  settled(): Promise<DocumentSummary[]>;
  /** Chunks that a search finds, best first. */
  found(query: string): Promise<StoredChunk[]>;
  /** Closes the library and its store, and opens them again. */
  reopen(options?: Partial<LibraryOptions>): Promise<void>;
}

/** Opens a library for each test of a file, and cleans up after it. */
export function openLibraryForEachTest(): LibraryRoom {
  let root = "";
  let store: Store;
  let library: Library;
  let collectionId = "";
  const path = (name: string) => join(root, name);

  async function open(options: Partial<LibraryOptions> = {}): Promise<void> {
    store = await openStore(path("data"), () => {});
    library = await createLibrary({ store, dataDirectory: path("data"), ...options });
  }

  async function close(): Promise<void> {
    await library[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "corral-library-"));
    await mkdir(path("data"));
    await open();
    collectionId = (await library.createCollection("Papers")).id;
  });

  afterEach(async () => {
    await close();
    await rm(root, { recursive: true, force: true });
  });

  return {
    get library() {
      return library;
    },
    get store() {
      return store;
    },
    get collectionId() {
      return collectionId;
    },
    get dataDirectory() {
      return path("data");
    },
    path,
    async put(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
    add: (...paths) => library.addPaths(collectionId, paths),
    async settled() {
      for (;;) {
        const documents = await library.documents();
        if (documents.every(({ state }) => ["ready", "failed", "cancelled"].includes(state))) return documents;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    found: async (query) => (await store.index.search(query, null, 10)).map(({ chunk }) => chunk),
    async reopen(options) {
      await close();
      await open(options);
    },
  };
}

/** Waits for something to become true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
