import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { CorralError } from "@corral/protocol";
import { checkDatabase } from "./check.ts";
import { collectionTable } from "./collections.ts";
import { conversationTable } from "./conversations.ts";
import { inTransaction, openDatabase, withStorageErrors } from "./database.ts";
import { documentTable } from "./documents.ts";
import { fitMeasurementTable } from "./fit-measurements.ts";
import { indexWriter, type IndexWriter } from "./index-writer.ts";
import { type SegmentMerger, segmentMerger } from "./merge-segments.ts";
import { messageTable } from "./messages.ts";
import { migrate, refuseNewer } from "./migrate.ts";
import { modelFileTable } from "./model-files.ts";
import { pageTable } from "./pages.ts";
import { searchIndex } from "./search-index.ts";
import { type Segments, segments } from "./segments.ts";
import { settingsTable } from "./settings.ts";
import { analyzerName } from "./terms.ts";
import type { SynchronousTables, ThreadError, ThreadReport, ThreadRequest, ThreadStart } from "./thread-messages.ts";

/**
 * One of the store's threads: it owns one connection and answers calls one by one, each in a transaction of its own. The
 * writer prepares the database (migrations, a re-index where the analyzer changed) before it reports ready.
 */
const { dataDirectory, role } = workerData as ThreadStart;
const port = parentPort!;
const report = (message: ThreadReport) => port.postMessage(message);
let connection: DatabaseSync | null = null;
let tables: SynchronousTables | null = null;
let segmentsOfIndex: Segments | null = null;
let merger: SegmentMerger | null = null;
/** Merging goes on in steps of this length, ms: so long a call may have to wait for one. */
const mergeStepMs = 20;
let nextStep: NodeJS.Immediate | null = null;

port.on("message", (request: ThreadRequest) => {
  switch (request.type) {
    case "open":
      try {
        withStorageErrors(dataDirectory, open);
        report({ type: "ready" });
      } catch (error) {
        report({ type: "failed", error: threadError(error) });
        close();
      }
      break;
    case "call":
    case "check":
      try {
        report({ type: "result", id: request.id, value: withStorageErrors(dataDirectory, () => answer(request)) });
      } catch (error) {
        report({ type: "error", id: request.id, error: threadError(error) });
      }
      break;
    case "close":
      close();
  }
});

function open(): void {
  if (role === "write") refuseNewer(dataDirectory);
  const database = (connection = openDatabase(dataDirectory, role));
  if (role === "write") migrate(database, dataDirectory);
  segmentsOfIndex = segments(database);
  const index = indexWriter(database, segmentsOfIndex);
  const messages = messageTable(database);
  const settings = settingsTable(database);
  if (role === "write") {
    inTransaction(database, "write", () => refreshIndex(index, settings));
    merger = segmentMerger(database, segmentsOfIndex);
    mergeLater();
  }
  tables = {
    collections: collectionTable(database, index),
    documents: documentTable(database, index),
    pages: pageTable(database),
    index: searchIndex(database),
    conversations: conversationTable(database, messages),
    messages,
    modelFiles: modelFileTable(database),
    fitMeasurements: fitMeasurementTable(database),
    settings,
  };
}

function answer(request: Extract<ThreadRequest, { type: "call" | "check" }>): unknown {
  const database = connection!;
  if (request.type === "check") return checkDatabase(database);
  const methods = tables![request.table] as unknown as Record<string, (...args: unknown[]) => unknown>;
  try {
    return inTransaction(database, role, () => methods[request.method]!(...request.args));
  } catch (error) {
    segmentsOfIndex!.forget();
    throw error;
  } finally {
    mergeLater();
  }
}

/** Tidies the search index while nobody calls, a step between any two calls. */
function mergeLater(): void {
  if (!merger || nextStep) return;
  nextStep = setImmediate(() => {
    nextStep = null;
    try {
      if (inTransaction(connection!, "write", () => merger!.step(mergeStepMs))) mergeLater();
    } catch (error) {
      // A full disk, most likely: searches go on with what there is, and the next write tries again.
      merger!.abandon();
      segmentsOfIndex!.forget();
      report({ type: "log", line: `The search index could not be tidied: ${String(error)}` });
    }
  });
}

function close(): void {
  if (nextStep) clearImmediate(nextStep);
  merger = null;
  connection?.close();
  port.close();
}

/** Terms of one analyzer do not match those of another, so a change of rules or of ICU makes the index anew. */
function refreshIndex(index: IndexWriter, settings: SynchronousTables["settings"]): void {
  const key = "index.analyzer";
  const before = settings.get(key);
  if (before === analyzerName) return;
  if (before !== null) {
    report({ type: "log", line: `The search index was made by ${before}; making it anew with ${analyzerName}.` });
    let logged = Date.now();
    index.reindex((done, total) => {
      if (done < total && Date.now() - logged < 2000) return;
      logged = Date.now();
      report({ type: "log", line: `Search index: ${done} of ${total} passages.` });
    });
  }
  settings.set(key, analyzerName);
}

function threadError(thrown: unknown): ThreadError {
  if (thrown instanceof CorralError) return { expected: thrown.report() };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { bug: { message: error.message, stack: error.stack ?? error.message } };
}
