import { parentPort, workerData } from "node:worker_threads";
import { CorralError } from "@corral/protocol";
import { checkDatabase } from "./check.ts";
import { collectionTable } from "./collections.ts";
import { conversationTable } from "./conversations.ts";
import { inTransaction, openDatabase, withStorageErrors } from "./database.ts";
import { documentTable } from "./documents.ts";
import { indexWriter } from "./index-writer.ts";
import { messageTable } from "./messages.ts";
import { migrate, refuseNewer } from "./migrate.ts";
import { modelFileTable } from "./model-files.ts";
import { pageTable } from "./pages.ts";
import { searchIndex } from "./search-index.ts";
import { settingsTable } from "./settings.ts";
import { analyzerName } from "./terms.ts";
import type {
  SynchronousTables,
  TableName,
  ThreadError,
  ThreadReport,
  ThreadRequest,
  ThreadStart,
} from "./thread-messages.ts";

/**
 * One of the store's threads: it owns one connection and answers calls one by one, each in a transaction of its own. The
 * writer prepares the database (migrations, a re-index where the analyzer changed) before it reports ready.
 */
const { dataDirectory, role } = workerData as ThreadStart;
const port = parentPort!;
const report = (message: ThreadReport) => port.postMessage(message);

try {
  withStorageErrors(dataDirectory, run);
} catch (error) {
  report({ type: "failed", error: threadError(error) });
  port.close();
}

function run(): void {
  if (role === "write") refuseNewer(dataDirectory);
  const database = openDatabase(dataDirectory, role);
  if (role === "write") migrate(database, dataDirectory);
  const index = indexWriter(database);
  const messages = messageTable(database);
  const tables: SynchronousTables = {
    collections: collectionTable(database, index),
    documents: documentTable(database, index),
    pages: pageTable(database),
    index: searchIndex(database),
    conversations: conversationTable(database, messages),
    messages,
    modelFiles: modelFileTable(database),
    settings: settingsTable(database),
  };
  if (role === "write") inTransaction(database, "write", () => refreshIndex(tables.settings));

  port.on("message", (request: ThreadRequest) => {
    if (request.type === "close") {
      database.close();
      port.close();
      return;
    }
    try {
      const value = withStorageErrors(dataDirectory, () =>
        request.type === "check"
          ? checkDatabase(database)
          : inTransaction(database, role, () => call(request.table, request.method, request.args)),
      );
      report({ type: "result", id: request.id, value });
    } catch (error) {
      report({ type: "error", id: request.id, error: threadError(error) });
    }
  });
  report({ type: "ready" });

  function call(table: TableName, method: string, args: unknown[]): unknown {
    const methods = tables[table] as unknown as Record<string, (...args: unknown[]) => unknown>;
    return methods[method]!(...args);
  }

  /** Terms of one analyzer do not match those of another, so a change of rules or of ICU makes the index anew. */
  function refreshIndex(settings: SynchronousTables["settings"]): void {
    const key = "index.analyzer";
    const before = settings.get(key);
    if (before === analyzerName) return;
    if (before !== null) {
      report({ type: "log", line: `The search index was made by ${before}; making it anew with ${analyzerName}.` });
      let logged = Date.now();
      index.reindex((done, total) => {
        if (done < total && Date.now() - logged < 2000) return;
        logged = Date.now();
        report({ type: "log", line: `Search index: ${done} of ${total} documents.` });
      });
    }
    settings.set(key, analyzerName);
  }
}

function threadError(thrown: unknown): ThreadError {
  if (thrown instanceof CorralError) return { expected: thrown.report() };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { bug: { message: error.message, stack: error.stack ?? error.message } };
}
