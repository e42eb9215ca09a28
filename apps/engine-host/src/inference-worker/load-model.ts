import { CorralError } from "@corral/protocol";
import { getLlama, InsufficientMemoryError, type Llama, type LlamaModel, LlamaLogLevel } from "node-llama-cpp";
import type { LoadedModelFacts, LoadSettings } from "../engines/engine.ts";
import { BufferSizes } from "./buffer-sizes.ts";
import { chatFormatOf, type ChatFormat } from "./chat-format.ts";
import { loadDraft } from "./load-draft.ts";
import { GuessingRecord } from "./guessing-record.ts";
import { IdleCare } from "./idle-care.ts";
import { KeptStates } from "./kept-states.ts";
import { modelIdentity } from "./model-identity.ts";
import { EvaluationPace } from "./evaluation-pace.ts";
import { batchSizeOf, openSlots } from "./open-slots.ts";
import { SlotPool } from "./slot-pool.ts";
import { openVectors, type VectorModel } from "./vectors.ts";

/** A model loaded to embed or to rank. */
export interface ServedVectors {
  model: LlamaModel;
  vectors: VectorModel;
  facts: LoadedModelFacts;
  /** Texts evaluated so far: the sign of progress the parent watches. */
  evaluations: number;
}

/** A loaded model with everything a generation needs. */
export interface ServedModel {
  llama: Llama;
  model: LlamaModel;
  format: ChatFormat;
  pool: SlotPool;
  pace: EvaluationPace;
  guesses: GuessingRecord;
  /** Null: KV caches are not kept on disk. */
  keptStates: KeptStates | null;
  idleCare: IdleCare | null;
  facts: LoadedModelFacts;
  /** Batches evaluated so far: the sign of progress the parent watches. */
  evaluations: number;
}

export interface LoadRequest {
  model: string;
  path: string;
  settings: LoadSettings;
  shape: LoadedModelFacts["shape"];
}

/** How llama.cpp and its backends put it. */
const shortOfMemory =
  /out of memory|failed to allocate|insufficient memory|unable to allocate|allocation failed(?!, retrying)/i;

/**
 * Loads a model and its contexts.
 * @param onProgress 0..1
 * @throws CorralError MODEL_LOAD_FAILED, INSUFFICIENT_MEMORY
 */
export async function loadModel(
  { model: id, path, settings, shape }: LoadRequest,
  onProgress: (fraction: number) => void,
  log: (level: "warn" | "error", message: string) => void,
): Promise<ServedModel | ServedVectors> {
  const startedAt = performance.now();
  const buffers = new BufferSizes();
  let shortage: string | null = null;
  const llama = await getLlama({
    gpu: settings.gpuLayers > 0 ? "auto" : false,
    // Never compile or download on the user's machine.
    build: "never",
    skipDownload: true,
    progressLogs: false,
    // 0: a context uses exactly the threads it is given.
    maxThreads: 0,
    // Until it is loaded: the sizes of its buffers are told at this level.
    logLevel: LlamaLogLevel.info,
    logger: (level, message) => {
      if (level === LlamaLogLevel.info) {
        buffers.read(message);
        return;
      }
      if (shortOfMemory.test(message)) shortage ??= message.trim();
      log(level === LlamaLogLevel.warn ? "warn" : "error", message.trim());
    },
  }).catch((error: unknown) => {
    throw loadFailed(id, `the llama.cpp library for this system could not be started (${messageOf(error)})`, error);
  });
  if (settings.gpuLayers > 0 && llama.gpu === false) {
    // Never fall back to the CPU unseen: the plan promised a GPU.
    throw loadFailed(id, "llama.cpp cannot use this machine's GPU; update its driver", null);
  }
  try {
    const model = await llama.loadModel({
      modelPath: path,
      gpuLayers: settings.gpuLayers,
      useMmap: settings.mapsWeights ?? true,
      onLoadProgress: onProgress,
    });
    if (settings.purpose === "embed" || settings.purpose === "rank") {
      const vectors = await openVectors(model, settings.purpose, settings);
      llama.logLevel = LlamaLogLevel.warn;
      const { maxTokens, dimensions } = vectors;
      const facts: LoadedModelFacts = {
        contextSize: maxTokens,
        slots: [{ contextSize: maxTokens, count: 1 }],
        shape,
        chatFormat: "",
        backend: llama.gpu === false ? "cpu" : llama.gpu,
        maxTokens,
        ...(dimensions === null ? {} : { dimensions }),
        loadMs: performance.now() - startedAt,
        memory: buffers.memory(),
      };
      return { model, vectors, facts, evaluations: 0 };
    }
    const draft = settings.draft ? await loadDraft(llama, model, settings, log) : null;
    const slots = await openSlots(model, draft, settings, () => buffers.endContext());
    const format = chatFormatOf(model);
    llama.logLevel = LlamaLogLevel.warn;
    const facts: LoadedModelFacts = {
      contextSize: Math.max(...slots.map(({ contextSize }) => contextSize)),
      slots: settings.slots.toSorted((a, b) => b.contextSize - a.contextSize),
      shape,
      chatFormat: format.name,
      backend: llama.gpu === false ? "cpu" : llama.gpu,
      loadMs: performance.now() - startedAt,
      memory: buffers.memory(),
    };
    const pace = new EvaluationPace({ isCpu: settings.gpuLayers === 0, batchSize: batchSizeOf(settings) });
    const pool = new SlotPool(slots);
    const keptStates = openKeptStates({ path, settings, llama, facts, pace, log: (line) => log("warn", line) });
    const idleCare = keptStates && new IdleCare(pool, keptStates);
    const guesses = new GuessingRecord();
    return { llama, model, format, pool, pace, guesses, keptStates, idleCare, facts, evaluations: 0 };
  } catch (error) {
    // llama.cpp only says that it failed; its log says why.
    const cause = shortage === null ? error : new Error(shortage, { cause: error });
    if (shortage !== null || error instanceof InsufficientMemoryError) {
      throw await insufficientMemory(llama, id, shape, cause);
    }
    throw loadFailed(id, messageOf(error), error);
  }
}

function openKeptStates(served: {
  path: string;
  settings: LoadSettings;
  llama: Llama;
  facts: LoadedModelFacts;
  pace: EvaluationPace;
  log: (message: string) => void;
}): KeptStates | null {
  const { path, llama, facts, pace, log } = served;
  const { stateDirectory: directory, stateBudgetBytes: budgetBytes = 0, kvCacheType } = served.settings;
  if (directory === undefined || budgetBytes === 0) return null;
  const slotTokens = facts.slots.reduce((sum, { contextSize, count }) => sum + contextSize * count, 0);
  const tokenBytes = facts.memory.reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0) / slotTokens;
  return new KeptStates({
    directory,
    budgetBytes,
    model: modelIdentity(path, llama, kvCacheType),
    tokenBytes,
    pace,
    log,
  });
}

async function insufficientMemory(
  llama: Llama,
  model: string,
  shape: LoadedModelFacts["shape"],
  cause: unknown,
): Promise<CorralError> {
  const isGpu = llama.gpu !== false;
  const free = isGpu ? (await llama.getVramState()).free : process.availableMemory();
  const message = `There is not enough ${isGpu ? "GPU " : ""}memory for ${model}: ${messageOf(cause)}. Close other programs, or choose a smaller context or a smaller model.`;
  const device = { id: isGpu ? "gpu" : "cpu", name: isGpu ? "GPU" : "Main memory", freeBytes: free };
  // llama.cpp does not say how much was missing; one byte per parameter is the least an 8-bit model needs.
  return new CorralError(
    "INSUFFICIENT_MEMORY",
    message,
    { devices: [{ ...device, neededBytes: Math.max(free + 1, shape.parameters) }] },
    { cause },
  );
}

function loadFailed(model: string, reason: string, cause: unknown): CorralError {
  const message = `${model} could not be loaded: ${reason}. Choose another model file; the log has the details.`;
  return new CorralError("MODEL_LOAD_FAILED", message, { model, reason }, { cause });
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "").slice(0, 300);
}
