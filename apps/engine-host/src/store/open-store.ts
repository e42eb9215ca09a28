import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { CorralError } from "@corral/protocol";
import type { Store } from "./store.ts";
import {
  readMethods,
  type TableName,
  type ThreadError,
  type ThreadReport,
  type ThreadRequest,
  type ThreadRole,
  type ThreadStart,
} from "./thread-messages.ts";

/** The thread's program lies beside this one: a .ts file in the repository, a bundled .js or .mjs when packed. */
const threadProgram = new URL(`./store-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * Opens the database of a data directory, creating or migrating it. The caller holds the directory's lock.
 * @param log called with a line for the host's log when opening takes long (the search index is made anew)
 * @throws CorralError DATA_DIRECTORY_NEWER, DATA_DIRECTORY_NOT_WRITABLE, DISK_FULL, FILE_UNREADABLE (damaged)
 */
export async function openStore(
  dataDirectory: string,
  log: (line: string) => void = (line) => console.error(line),
): Promise<Store> {
  const writer = new StoreThread({ dataDirectory, role: "write" }, log);
  const reader = new StoreThread({ dataDirectory, role: "read" }, log);
  try {
    await writer.open();
    await reader.open();
  } catch (error) {
    await reader.close();
    await writer.close();
    throw error;
  }
  const threads: Record<ThreadRole, StoreThread> = { read: reader, write: writer };

  /** A table whose every method is a call to the thread that may run it. */
  function table<Name extends TableName>(name: Name): Store[Name] {
    const reads: readonly PropertyKey[] = readMethods[name];
    return new Proxy({} as Store[Name], {
      get: (_, method) =>
        typeof method === "string" &&
        // A promise may ask whether the table is one itself.
        method !== "then" &&
        ((...args: unknown[]) =>
          threads[reads.includes(method) ? "read" : "write"].request((id) => ({
            type: "call",
            id,
            table: name,
            method,
            args,
          }))),
    });
  }

  return {
    collections: table("collections"),
    documents: table("documents"),
    pages: table("pages"),
    folders: table("folders"),
    index: table("index"),
    vectors: table("vectors"),
    conversations: table("conversations"),
    messages: table("messages"),
    modelFiles: table("modelFiles"),
    fitMeasurements: table("fitMeasurements"),
    settings: table("settings"),
    async check() {
      // Reads every page, so it has a thread to itself.
      const thread = new StoreThread({ dataDirectory, role: "read" }, log);
      try {
        await thread.open();
        return (await thread.request((id) => ({ type: "check", id }))) as Awaited<ReturnType<Store["check"]>>;
      } finally {
        await thread.close();
      }
    },
    async [Symbol.asyncDispose]() {
      // The writer last: closing it moves the write-ahead log into the database.
      await reader.close();
      await writer.close();
    },
  };
}

/** A worker thread with its connection, and the calls it has not answered yet. */
class StoreThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #ended: Error | null = null;

  constructor(workerData: ThreadStart, log: (line: string) => void) {
    this.#worker = new Worker(threadProgram, { workerData, execArgv: [], name: `store-${workerData.role}` });
    this.#worker.on("message", (message: ThreadReport) => this.#receive(message, log));
    this.#worker.on("error", (error) => this.#end(error));
    // A thread that never opened also ends; who calls open() hears of it.
    this.#ready.promise.catch(() => {});
    this.#exited = new Promise((resolve) =>
      this.#worker.on("exit", () => {
        this.#end(new Error("The store is closed."));
        resolve();
      }),
    );
  }

  /** Opens the database. @throws what openStore throws */
  open(): Promise<void> {
    this.#worker.postMessage({ type: "open" } satisfies ThreadRequest);
    return this.#ready.promise;
  }

  request(make: (id: number) => ThreadRequest): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const answer = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#worker.postMessage(make(id));
    this.#waiting.set(id, answer);
    this.#worker.ref();
    return answer.promise;
  }

  /** Ends the thread after the calls it has. */
  async close(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage({ type: "close" } satisfies ThreadRequest);
    this.#ended ??= new Error("The store is closed.");
    await this.#exited;
  }

  #receive(message: ThreadReport, log: (line: string) => void): void {
    switch (message.type) {
      case "ready":
        this.#ready.resolve();
        this.#rest();
        break;
      case "failed":
        this.#end(errorFrom(message.error));
        break;
      case "log":
        log(message.line);
        break;
      case "result":
        this.#take(message.id)?.resolve(message.value);
        break;
      case "error":
        this.#take(message.id)?.reject(errorFrom(message.error));
    }
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#rest();
    return answer;
  }

  /** Only a thread with work to do keeps the process alive. */
  #rest(): void {
    if (this.#waiting.size === 0 && !this.#ended) this.#worker.unref();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#ready.reject(error);
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}

function errorFrom(error: ThreadError): Error {
  if ("expected" in error) {
    const { code, message, data } = error.expected;
    return new CorralError(code, message, data as never);
  }
  const bug = new Error(error.bug.message);
  bug.stack = error.bug.stack;
  return bug;
}
