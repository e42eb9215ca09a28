import { CorralError } from "@corral/protocol";
import type { ResidentMemory } from "../engines/engine.ts";
import type { FromWorker, ToWorker } from "../engines/worker-channel.ts";
import { renderPrompt } from "./chat-prompt.ts";
import { generate } from "./generation.ts";
import { forgetOwner } from "./idle-care.ts";
import { loadModel, type ServedModel, type ServedVectors } from "./load-model.ts";
import { endWithParent } from "./parent-watch.ts";

/*
 * The program of an inference worker: one model, served over the IPC channel of its parent (engines/worker-channel.ts).
 * It opens no socket, holds no secret, and is ended by being killed.
 */

const heartbeatMs = 1000;

let served: ServedModel | ServedVectors | null = null;
let modelId = "";
let resident: ResidentMemory | null = null;
/** Generations, embeddings and rankings under way. */
const running = new Map<number, AbortController>();

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** Anything unexpected down here is llama.cpp failing: for the caller the engine is what broke. */
function reportOf(error: unknown) {
  if (error instanceof CorralError) return error.report();
  const reason = error instanceof Error ? error.message : String(error);
  send({ type: "log", level: "error", message: reason.slice(0, 300) });
  const message = `The engine running ${modelId} failed while it was working (${reason.slice(0, 200)}). Ask again.`;
  return new CorralError("ENGINE_CRASHED", message, { model: modelId }).report();
}

async function load(message: Extract<ToWorker, { type: "load" }>): Promise<void> {
  modelId = message.model;
  let sentAt = -Infinity;
  const beforeBytes = process.memoryUsage.rss();
  try {
    served = await loadModel(
      message,
      (fraction) => {
        // One in 50 ms is smooth enough; the end is told by `loaded`.
        if (performance.now() - sentAt < 50) return;
        sentAt = performance.now();
        send({ type: "load-progress", fraction });
      },
      (level, line) => send({ type: "log", level, message: line }),
    );
    const afterBytes = process.memoryUsage.rss();
    resident = { beforeBytes, afterBytes, peakBytes: afterBytes };
    send({ type: "loaded", facts: served.facts, resident });
  } catch (error) {
    send({ type: "failed", call: null, error: reportOf(error) });
  }
}

async function run(call: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  running.set(call, controller);
  try {
    await work(controller.signal);
  } catch (error) {
    send({ type: "failed", call, error: reportOf(error) });
  } finally {
    running.delete(call);
  }
}

function runGeneration({ call, request }: Extract<ToWorker, { type: "generate" }>): Promise<void> {
  return run(call, (signal) =>
    generate(generatingModel(), request, signal, (part) => send({ type: "part", call, part })),
  );
}

function runEmbedding({ call, texts }: Extract<ToWorker, { type: "embed" }>): Promise<void> {
  return run(call, async (signal) => {
    const served = vectorModel();
    const vectors = await served.vectors.embed(texts, signal, () => served.evaluations++);
    send({ type: "vectors", call, vectors });
  });
}

function runRanking({ call, query, texts }: Extract<ToWorker, { type: "rank" }>): Promise<void> {
  return run(call, async (signal) => {
    const served = vectorModel();
    const scores = await served.vectors.rank(query, texts, signal, () => served.evaluations++);
    send({ type: "scores", call, scores });
  });
}

async function runForgetting({ call, owner }: Extract<ToWorker, { type: "forget" }>): Promise<void> {
  if (served && "pool" in served) await forgetOwner(served.pool, owner);
  send({ type: "done", call });
}

async function retire({ call }: Extract<ToWorker, { type: "retire" }>): Promise<void> {
  if (served && "idleCare" in served) await served.idleCare?.keepAll();
  send({ type: "done", call });
}

function count(call: number, counts: () => number[]): void {
  try {
    send({ type: "counts", call, counts: counts() });
  } catch (error) {
    send({ type: "failed", call, error: reportOf(error) });
  }
}

function loadedModel(): ServedModel | ServedVectors {
  if (!served) throw new Error("no model is loaded");
  return served;
}

function generatingModel(): ServedModel {
  const model = loadedModel();
  if ("vectors" in model) throw notLoadedFor("writing text");
  return model;
}

function vectorModel(): ServedVectors {
  const model = loadedModel();
  if (!("vectors" in model)) throw notLoadedFor("embedding or ranking");
  return model;
}

function notLoadedFor(wanted: string): CorralError {
  const reason = `The model ${modelId} was not loaded for ${wanted}`;
  return new CorralError("INVALID_INPUT", `${reason}. Choose another model.`, { field: "model", reason });
}

function receive(message: ToWorker): void {
  switch (message.type) {
    case "load":
      void load(message);
      return;
    case "count-tokens":
      count(message.call, () => message.texts.map((text) => loadedModel().model.tokenize(text).length));
      return;
    case "count-prompt-tokens":
      count(message.call, () => {
        const { model, format } = generatingModel();
        const { messages, tools = [] } = message;
        return [renderPrompt(model, format, { messages, tools }).tokens.length];
      });
      return;
    case "generate":
      void runGeneration(message);
      return;
    case "embed":
      void runEmbedding(message);
      return;
    case "rank":
      void runRanking(message);
      return;
    case "forget":
      void run(message.call, () => runForgetting(message));
      return;
    case "retire":
      void run(message.call, () => retire(message));
      return;
    case "cancel":
      running.get(message.call)?.abort();
      return;
  }
}

// What is kept on disk holds people's words.
process.umask(0o077);
endWithParent(Number(process.argv[2]));
// Ctrl+C in a terminal reaches the whole process group; it is engine-host that decides when a worker ends.
process.on("SIGINT", () => undefined);
process.on("message", receive);
setInterval(() => {
  // The compute buffer becomes resident only as it is used.
  if (resident) resident.peakBytes = Math.max(resident.peakBytes, process.memoryUsage.rss());
  send({ type: "alive", evaluations: served?.evaluations ?? 0, busy: running.size, resident });
}, heartbeatMs);
