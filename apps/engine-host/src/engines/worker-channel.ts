import type { ErrorReport } from "@corral/protocol";
import type {
  EngineMessage,
  EnginePart,
  EngineTool,
  GenerateRequest,
  LoadedModelFacts,
  LoadSettings,
  ResidentMemory,
} from "./engine.ts";

/**
 * What engine-host and an inference worker say to each other over the worker's IPC channel (`serialization: "advanced"`).
 * `call` numbers one request; the worker answers it with the same number. The worker serves one model and is ended by
 * killing it: there is no unload message, as only the end of the process surely gives all memory back.
 */
export type ToWorker =
  /** First, once. Answered by `load-progress` and then `loaded` or `failed` (call null). */
  | { type: "load"; model: string; path: string; settings: LoadSettings; shape: LoadedModelFacts["shape"] }
  | { type: "count-tokens"; call: number; texts: string[] }
  | { type: "count-prompt-tokens"; call: number; messages: EngineMessage[]; tools: EngineTool[] | undefined }
  | { type: "generate"; call: number; request: GenerateRequest }
  /** Answered by `vectors`. */
  | { type: "embed"; call: number; texts: string[] }
  /** Answered by `scores`. */
  | { type: "rank"; call: number; query: string; texts: string[] }
  /** Forgets an owner's KV caches in memory. Answered by `done`. */
  | { type: "forget"; call: number; owner: string }
  /** Keeps on disk what is worth it: the worker is about to be ended. Answered by `done`. */
  | { type: "retire"; call: number }
  /** Stops a generation (its stream ends with `finish` of reason "cancelled"), a place in the queue, an embed or a rank. */
  | { type: "cancel"; call: number };

export type FromWorker =
  /** Sent every second by the worker's event loop. `evaluations` grows with each batch; `busy`: generations under way. */
  | { type: "alive"; evaluations: number; busy: number; resident: ResidentMemory | null }
  | { type: "load-progress"; fraction: number }
  | { type: "loaded"; facts: LoadedModelFacts; resident: ResidentMemory }
  | { type: "counts"; call: number; counts: number[] }
  | { type: "vectors"; call: number; vectors: Float32Array[] }
  | { type: "scores"; call: number; scores: number[] }
  | { type: "done"; call: number }
  | { type: "part"; call: number; part: EnginePart }
  /** The call failed; null: loading failed and the worker is of no use any more. */
  | { type: "failed"; call: number | null; error: ErrorReport }
  | { type: "log"; level: "warn" | "error"; message: string };
