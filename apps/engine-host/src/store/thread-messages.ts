import type { ErrorReport } from "@corral/protocol";
import type { Store } from "./store.ts";

export type TableName = Exclude<keyof Store, symbol | "check">;

/** A table as it runs on a store thread: the same methods, without promises. */
export type Synchronous<Table> = {
  [Method in keyof Table]: Table[Method] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Result
    : never;
};

export type SynchronousTables = { [Name in TableName]: Synchronous<Store[Name]> };

/** The methods that only read. They run on the reader thread, so a long write never delays them. */
export const readMethods: { [Name in TableName]: readonly (keyof Store[Name])[] } = {
  collections: ["list", "get", "getByName", "storage"],
  documents: ["list", "get", "file", "findByHash", "findByPath", "findByStamps", "ownedFiles", "unfinished", "content"],
  pages: ["get"],
  folders: ["list", "get", "files"],
  index: ["search", "chunk", "chunksOf", "idf"],
  vectors: ["status", "missing", "search", "ofDocument", "residentBytes"],
  conversations: ["list", "get"],
  messages: ["get", "path"],
  modelFiles: ["list"],
  fitMeasurements: ["list"],
  settings: ["get"],
};

export type ThreadRole = "read" | "write";

export interface ThreadStart {
  dataDirectory: string;
  role: ThreadRole;
}

/** To a store thread. `open` comes first: a thread loads its program at once, but waits with the database. */
export type ThreadRequest =
  | { type: "open" }
  | { type: "call"; id: number; table: TableName; method: string; args: unknown[] }
  | { type: "check"; id: number }
  | { type: "close" };

/** An error on its way between threads: an expected one keeps its code and data, a bug its stack. */
export type ThreadError = { expected: ErrorReport } | { bug: { message: string; stack: string } };

/** From a store thread. `ready` or `failed` comes first; `log` is a line for the host's log. */
export type ThreadReport =
  | { type: "ready" }
  | { type: "failed"; error: ThreadError }
  | { type: "log"; line: string }
  | { type: "result"; id: number; value: unknown }
  | { type: "error"; id: number; error: ThreadError };
