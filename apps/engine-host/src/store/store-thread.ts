import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { CorralError } from "@corral/protocol";
import { checkDatabase } from "./check.ts";
import { collectionTable } from "./collections.ts";
import { conversationTable } from "./conversations.ts";
import { inTransaction, openDatabase, withStorageErrors } from "./database.ts";
import { documentTable } from "./documents.ts";
import { folderTable } from "./folders.ts";
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
import { type VectorTidier, vectorTidier } from "./tidy-vectors.ts";
import { vectorWriter } from "./vector-writer.ts";
import { vectorTable } from "./vectors.ts";
import type { SynchronousTables, ThreadError, ThreadReport, ThreadRequest, ThreadStart } from "./thread-messages.ts";

/**
 * One of the store's threads: it owns one connection and answers calls one by one, in their order. Calls that wait together
 * share one transaction, so that the disk is waited for once; each is answered after its commit. Where one of them fails,
 * all are undone and run again, each in a transaction of its own. The writer prepares the database (migrations, a re-index
 * where the analyzer changed) before it reports ready.
 */
const { dataDirectory, role } = workerData as ThreadStart;
const port = parentPort!;
const report = (message: ThreadReport) => port.postMessage(message);
let connection: DatabaseSync | null = null;
let tables: SynchronousTables | null = null;
let segmentsOfIndex: Segments | null = null;
let merger: SegmentMerger | null = null;
let tidier: VectorTidier | null = null;
let writer: IndexWriter | null = null;
/** Calls that wait, and whether they are about to be answered. */
const waiting: Call[] = [];
let nextCalls: NodeJS.Immediate | null = null;
/** Calls are added to a transaction for so long, ms: then those it has are answered. */
const togetherMs = 50;
/** Merging goes on in steps of this length, ms: so long a call may have to wait for one. */
const mergeStepMs = 20;
let nextStep: NodeJS.Immediate | null = null;
/** While calls came within this time, ms, only what cannot wait is merged. */
const hurriedMs = 200;
let lastCallAt = -Infinity;
let nextTidying: NodeJS.Timeout | null = null;

type Call = Extract<ThreadRequest, { type: "call" | "check" }>;

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
      waiting.push(request);
      answerLater();
      break;
    case "close":
      // After the calls it has.
      while (waiting.length > 0) answerWaiting();
      close();
  }
});

function open(): void {
  if (role === "write") refuseNewer(dataDirectory);
  const database = (connection = openDatabase(dataDirectory, role));
  if (role === "write") migrate(database, dataDirectory);
  segmentsOfIndex = segments(database);
  const index = (writer = indexWriter(database, segmentsOfIndex));
  const vectors = vectorWriter(database);
  const messages = messageTable(database);
  const settings = settingsTable(database);
  if (role === "write") {
    inTransaction(database, "write", () => refreshIndex(index, settings));
    merger = segmentMerger(database, segmentsOfIndex);
    tidier = vectorTidier(database, vectors);
    mergeLater();
  }
  tables = {
    collections: collectionTable(database, index),
    documents: documentTable(database, index),
    pages: pageTable(database),
    folders: folderTable(database),
    index: searchIndex(database),
    vectors: vectorTable(database, vectors),
    conversations: conversationTable(database, messages),
    messages,
    modelFiles: modelFileTable(database),
    fitMeasurements: fitMeasurementTable(database),
    settings,
  };
}

function answerLater(): void {
  nextCalls ??= setImmediate(() => {
    nextCalls = null;
    answerWaiting();
    if (waiting.length > 0) answerLater();
  });
}

/** Answers the calls that wait, or as many as can be done in some time. */
function answerWaiting(): void {
  const calls: Call[] = [];
  const values: unknown[] = [];
  lastCallAt = performance.now();
  try {
    transaction(() => {
      const end = performance.now() + togetherMs;
      while (waiting.length > 0 && performance.now() < end) {
        calls.push(waiting.shift()!);
        values.push(run(calls.at(-1)!));
      }
    });
    for (const [i, { id }] of calls.entries()) report({ type: "result", id, value: values[i] });
  } catch (error) {
    // Not even the transaction could be begun.
    if (calls.length === 0) calls.push(waiting.shift()!);
    if (calls.length === 1) report({ type: "error", id: calls[0]!.id, error: threadError(error) });
    else for (const call of calls) answerAlone(call);
  }
  mergeLater();
}

function answerAlone(call: Call): void {
  try {
    report({ type: "result", id: call.id, value: transaction(() => run(call)) });
  } catch (error) {
    report({ type: "error", id: call.id, error: threadError(error) });
  }
}

function run(call: Call): unknown {
  if (call.type === "check") return checkDatabase(connection!);
  const methods = tables![call.table] as unknown as Record<string, (...args: unknown[]) => unknown>;
  return methods[call.method]!(...call.args);
}

function transaction<Result>(work: () => Result): Result {
  try {
    return withStorageErrors(dataDirectory, () =>
      inTransaction(connection!, role, () => (role === "write" ? writer!.together(work) : work())),
    );
  } catch (error) {
    segmentsOfIndex!.forget();
    throw error;
  }
}

/** Tidies the search index: while calls come in only what cannot wait, a step between any two of them, then the rest. */
function mergeLater(): void {
  if (!merger || nextStep) return;
  if (nextTidying) clearTimeout(nextTidying);
  nextTidying = null;
  nextStep = setImmediate(() => {
    nextStep = null;
    const isHurried = performance.now() - lastCallAt < hurriedMs;
    try {
      const isMore = inTransaction(connection!, "write", () => merger!.step(mergeStepMs, isHurried) || tidier!.step());
      if (isMore) mergeLater();
      else if (isHurried) nextTidying = setTimeout(mergeLater, hurriedMs);
    } catch (error) {
      // A full disk, most likely: searches go on with what there is, and the next write tries again.
      merger!.abandon();
      tidier!.abandon();
      segmentsOfIndex!.forget();
      report({ type: "log", line: `The search index could not be tidied: ${String(error)}` });
    }
  });
}

function close(): void {
  if (nextStep) clearImmediate(nextStep);
  if (nextTidying) clearTimeout(nextTidying);
  if (nextCalls) clearImmediate(nextCalls);
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
