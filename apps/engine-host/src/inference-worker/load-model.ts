import { CorralError } from "@corral/protocol";
import {
  getLlama,
  InsufficientMemoryError,
  type ChatWrapper,
  type Llama,
  type LlamaContext,
  type LlamaModel,
  LlamaLogLevel,
} from "node-llama-cpp";
import type { LoadedModelFacts, LoadSettings } from "../engines/engine.ts";
import { BufferSizes } from "./buffer-sizes.ts";
import { chatFormatOf } from "./chat-prompt.ts";
import { SequencePool } from "./sequence-pool.ts";

/** A loaded model with everything a generation needs. */
export interface ServedModel {
  llama: Llama;
  model: LlamaModel;
  context: LlamaContext;
  format: ChatWrapper;
  pool: SequencePool;
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
 * Loads a model and its context.
 * @param onProgress 0..1
 * @throws CorralError MODEL_LOAD_FAILED, INSUFFICIENT_MEMORY
 */
export async function loadModel(
  { model: id, path, settings, shape }: LoadRequest,
  onProgress: (fraction: number) => void,
  log: (level: "warn" | "error", message: string) => void,
): Promise<ServedModel> {
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
    const context = await model.createContext({
      contextSize: settings.contextSize,
      sequences: settings.sequences,
      threads: settings.threads,
      batchSize: Math.min(settings.batchSize ?? 512, settings.contextSize * settings.sequences),
      // Without it the compute buffer grows with the context (1B at 32K: 2.1 GiB instead of 0.25), and a quantized value
      // cache needs it.
      flashAttention: model.flashAttentionSupported,
      ...(settings.kvCacheType === "q8_0"
        ? { experimentalKvCacheKeyType: "Q8_0", experimentalKvCacheValueType: "Q8_0" }
        : {}),
      failedCreationRemedy: false,
    });
    const format = chatFormatOf(model);
    // The log arrives on the event loop, after what it tells of.
    await new Promise((resolve) => setTimeout(resolve, 20));
    llama.logLevel = LlamaLogLevel.warn;
    const sequences = Array.from({ length: settings.sequences }, () =>
      // Text must never fall out of the context unseen: generation refuses before it gets that far.
      context.getSequence({ contextShift: { strategy: refuseShift } }),
    );
    const facts: LoadedModelFacts = {
      contextSize: context.contextSize,
      sequences: settings.sequences,
      shape,
      chatFormat: format.wrapperName,
      backend: llama.gpu === false ? "cpu" : llama.gpu,
      loadMs: performance.now() - startedAt,
      memory: buffers.memory(),
    };
    return { llama, model, context, format, pool: new SequencePool(sequences), facts, evaluations: 0 };
  } catch (error) {
    // llama.cpp only says that it failed; its log says why.
    const cause = shortage === null ? error : new Error(shortage, { cause: error });
    if (shortage !== null || error instanceof InsufficientMemoryError) {
      throw await insufficientMemory(llama, id, shape, cause);
    }
    throw loadFailed(id, messageOf(error), error);
  }
}

function refuseShift(): never {
  throw new Error("The context is full.");
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
