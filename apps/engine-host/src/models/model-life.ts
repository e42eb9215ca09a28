import { CorralError, type ErrorReport, type LoadPlan, type MeasuredMemory } from "@corral/protocol";
import type { LoadedModel } from "../engines/engine.ts";
import type { Reservation } from "../hardware/memory-ledger.ts";
import { CrashRecord } from "./crash-record.ts";
import { nextState, type LoadEvent, type LoadState } from "./model-states.ts";
import type { Scheduler } from "./scheduler.ts";
import type { TextTurns } from "./text-turns.ts";

/** A loaded model and how many use it. */
export interface Instance {
  readonly id: string;
  readonly purpose: "generate" | "embed" | "rank";
  readonly embedded: boolean;
  readonly model: LoadedModel;
  readonly plan: LoadPlan;
  /** Gives out its slots. */
  readonly scheduler: Scheduler;
  /** Gives out the turns of one that embeds or ranks. */
  readonly turns: TextTurns;
  /** As of when it was loaded; on GPUs as of its first use, in which the runtime takes its scratch memory. */
  measured: MeasuredMemory[];
  /** Null once it has been used and measured. */
  measureAfterUse: (() => Promise<MeasuredMemory[]>) | null;
  /** Given back when its memory is free. */
  readonly reservation: Reservation;
  /** What loading it took, ms. */
  readonly loadMs: number;
  uses: number;
  /** When it was last taken or given back, by the clock. */
  lastUse: number;
  /** Aborted when it is used again before its time is up. */
  idle: AbortController;
  /** Set once it is being unloaded; resolves when its memory is free. */
  closing: Promise<void> | null;
  /** Set while it takes nobody new, so that another model gets its memory; resolves when that is over. */
  draining: Promise<void> | null;
}

/** A load under way, with all who wait for it. */
export interface LoadJob {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: number | null) => void>;
  waiters: number;
  /** Null: its turn has not come. */
  progress: number | null;
}

/** One model: its state by the table of model-states.ts, and what belongs to that. */
export class ModelLife {
  readonly id: string;
  readonly crashes = new CrashRecord();
  /** While idle, ready and unloading. */
  instance: Instance | null = null;
  /** While pending and loading. */
  job: LoadJob | null = null;
  lastError: ErrorReport | null = null;
  #state: LoadState = "unloaded";

  constructor(id: string) {
    this.id = id;
  }

  get state(): LoadState {
    return this.#state;
  }

  happen(event: LoadEvent): void {
    this.#state = nextState(this.#state, event);
  }

  /** A quarantine ends with time alone. */
  stateAt(now: number): LoadState {
    if (this.#state === "quarantined" && this.crashes.quarantineLeft(now) <= 0) this.happen("quarantine-over");
    return this.#state;
  }

  /** Why it is not loaded; of what crashes, too much is enough. */
  noteError(report: ErrorReport, now: number): void {
    this.lastError = report;
    // A file that cannot be read or memory that is too small will not crash anything.
    if (report.code !== "ENGINE_CRASHED" && report.code !== "MODEL_LOAD_FAILED") return;
    this.crashes.note(now);
    if (this.crashes.quarantineLeft(now) > 0) this.happen("quarantined");
  }

  /** @throws CorralError MODEL_QUARANTINED */
  refuseQuarantined(now: number): void {
    if (this.stateAt(now) !== "quarantined") return;
    const retryAfterMs = Math.ceil(this.crashes.quarantineLeft(now));
    const minutes = Math.ceil(retryAfterMs / 60_000);
    const message = `${this.id} crashed three times in five minutes, so it is left alone for another ${minutes} min. Choose another model meanwhile. Last problem: ${this.lastError?.message ?? "unknown"}`;
    throw new CorralError("MODEL_QUARANTINED", message, { model: this.id, retryAfterMs });
  }
}

/** Measures once more what a model takes, when it has been used for the first time. */
export async function measureAfterUse(instance: Instance): Promise<void> {
  const measure = instance.measureAfterUse;
  instance.measureAfterUse = null;
  if (!measure || instance.closing) return;
  const before = instance.measured;
  const now = await measure();
  // What it took when it was loaded stays; what it takes now is more.
  instance.measured = now.map((device, index) => ({
    ...device,
    afterBytes: before[index]?.afterBytes ?? device.afterBytes,
  }));
}

/** The resident memory of an engine grows as its buffers are used. */
export function withPeak({ model, measured }: Instance): MeasuredMemory[] {
  const peakBytes = model.resident?.peakBytes;
  return peakBytes === undefined
    ? measured
    : measured.map((device) => (device.id === "cpu" ? { ...device, peakBytes } : device));
}
