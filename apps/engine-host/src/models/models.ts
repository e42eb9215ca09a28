import type { LoadPlan, ModelSummary } from "@corral/protocol";
import type { GenerationStatistics, LoadedModel } from "../engines/engine.ts";

/** A loaded model, held for one use. Disposing lets the model become idle. */
export interface ModelLease extends AsyncDisposable {
  readonly summary: ModelSummary;
  readonly model: LoadedModel;
  /** Tells how a reply went, so that plans show measured speed instead of an estimate. Never fails. */
  noteSpeed(statistics: GenerationStatistics): void;
}

/** What is on this machine, what is loaded, who waits. */
export interface Models extends AsyncDisposable {
  list(): Promise<ModelSummary[]>;
  /** The list now and after each change, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<ModelSummary[]>;
  /** Registers a GGUF file in place. @throws CorralError FILE_NOT_FOUND, EMPTY_FILE, MODEL_FILE_INVALID */
  add(path: string): Promise<ModelSummary>;
  /** @throws CorralError MODEL_NOT_FOUND */
  remove(id: string): Promise<void>;
  plan(id: string): Promise<LoadPlan>;
  load(id: string, signal: AbortSignal): Promise<ModelSummary>;
  unload(id: string): Promise<ModelSummary>;
  /**
   * The model for one use, loading it first when needed; null = the default model.
   * @param onWaiting called while it loads (0..1)
   * @throws CorralError NO_MODEL, MODEL_NOT_FOUND, MODEL_LOAD_FAILED, MODEL_QUARANTINED, INSUFFICIENT_MEMORY, CANCELLED
   */
  acquire(
    id: string | null,
    options: { signal: AbortSignal; onWaiting?: (progress: number | null) => void },
  ): Promise<ModelLease>;
}
