import { CorralError, type ErrorReport, type LoadPlan, type MeasuredMemory, type ModelState } from "@corral/protocol";
import type { Engine, LoadedModel } from "../engines/engine.ts";
import type { Reservation } from "../hardware/memory-ledger.ts";
import type { Logger } from "../logger.ts";
import { abortable, cancelled, type Clock } from "./abortable.ts";
import { CrashRecord } from "./crash-record.ts";
import type { ReservedPlan } from "./fit-contract.ts";
import { loadSettings } from "./load-settings.ts";

/** What is needed to load one model. */
export interface Loadable {
  id: string;
  path: string;
  /** Stays loaded beside any other model: it is small. */
  embedded: boolean;
  /**
   * Called when its turn has come, with all that had to make room gone.
   * @param failed a plan whose load failed for lack of memory; null comes back when there is none to try after it
   * @throws CorralError what stops a load
   */
  reserve(failed: LoadPlan | null, signal: AbortSignal): Promise<ReservedPlan | null>;
  /** Measures what was loaded. */
  settle(model: LoadedModel, reserved: ReservedPlan): Promise<MeasuredMemory[]>;
}

/** What a model is doing. */
export interface Condition {
  state: Exclude<ModelState, "absent">;
  /** 0..1 while loading. */
  loadProgress: number | null;
  plan: LoadPlan | null;
  measured: MeasuredMemory[];
  lastError: ErrorReport | null;
}

/** A loaded model and how many use it. */
export interface Instance {
  readonly id: string;
  readonly embedded: boolean;
  readonly model: LoadedModel;
  readonly plan: LoadPlan;
  /** As of when it was loaded; on GPUs as of its first use, in which the runtime takes its scratch memory. */
  measured: MeasuredMemory[];
  /** Null once it has been used and measured. */
  measureAfterUse: (() => Promise<MeasuredMemory[]>) | null;
  /** Given back when its memory is free. */
  readonly reservation: Reservation;
  uses: number;
  /** When it was last taken or given back, by the clock. */
  lastUse: number;
  /** Set once it is being unloaded; resolves when its memory is free. */
  closing: Promise<void> | null;
}

/** A load under way, with all who wait for it. */
interface LoadJob {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: number | null) => void>;
  waiters: number;
  /** Null: its turn has not come. */
  progress: number | null;
}

/**
 * Which models are loaded. One load at a time; besides the embedded model at most one is kept, and it makes room only
 * when nobody uses it. A crash costs the running replies; the model is loaded again at its next use, after a pause, and
 * left alone after three crashes in five minutes.
 */
export class LoadedModels {
  readonly #instances = new Map<string, Instance>();
  readonly #jobs = new Map<string, LoadJob>();
  readonly #crashes = new Map<string, CrashRecord>();
  readonly #errors = new Map<string, ErrorReport>();
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #changed: () => void;
  /** Resolved and replaced each time an instance becomes idle or goes. */
  #released = Promise.withResolvers<void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, clock: Clock, logger: Logger, changed: () => void) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#changed = changed;
  }

  condition(id: string): Condition {
    const instance = this.#instances.get(id);
    const job = this.#jobs.get(id);
    const state = instance
      ? instance.closing
        ? "unloading"
        : instance.uses > 0
          ? "ready"
          : "idle"
      : job
        ? job.progress === null
          ? "pending"
          : "loading"
        : this.#crashRecord(id).quarantineLeft(this.#clock.now()) > 0
          ? "quarantined"
          : "unloaded";
    return {
      state,
      loadProgress: job?.progress ?? null,
      plan: instance?.plan ?? null,
      measured: instance ? withPeak(instance) : [],
      lastError: this.#errors.get(id) ?? null,
    };
  }

  /**
   * The loaded model for one use; `giveBack` ends the use.
   * @throws CorralError MODEL_QUARANTINED, CANCELLED, and what stops a load
   */
  async take(wanted: Loadable, signal: AbortSignal, onWaiting?: (progress: number | null) => void): Promise<Instance> {
    for (;;) {
      if (signal.aborted) throw cancelled();
      const instance = this.#instances.get(wanted.id);
      if (instance?.closing) {
        await abortable(instance.closing, signal);
      } else if (instance) {
        instance.uses++;
        instance.lastUse = this.#clock.now();
        this.#changed();
        return instance;
      } else {
        await this.#waitForLoad(wanted, signal, onWaiting);
      }
    }
  }

  giveBack(instance: Instance): void {
    instance.uses--;
    instance.lastUse = this.#clock.now();
    if (instance.uses === 0) this.#release();
    this.#changed();
    void this.#measureAfterUse(instance);
  }

  async #measureAfterUse(instance: Instance): Promise<void> {
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
    this.#changed();
  }

  /** Stops a load; a loaded model first finishes the replies it is writing. Nothing to do for one that is not loaded. */
  async unload(id: string, signal: AbortSignal): Promise<void> {
    const job = this.#jobs.get(id);
    job?.stop.abort();
    await job?.done.catch(() => undefined);
    const instance = this.#instances.get(id);
    if (!instance) return;
    await this.#untilIdle(instance, signal);
    await this.#close(instance);
  }

  /** What a load of this model would unload first. */
  replacedBy({ id, embedded }: Pick<Loadable, "id" | "embedded">): Reservation[] {
    if (embedded) return [];
    const others = [...this.#instances.values()].filter((other) => !other.embedded && other.id !== id);
    return others.map(({ reservation }) => reservation);
  }

  /** Ends everything now. */
  async dispose(): Promise<void> {
    for (const job of this.#jobs.values()) job.stop.abort();
    await Promise.allSettled([...this.#jobs.values()].map(({ done }) => done));
    await Promise.all([...this.#instances.values()].map((instance) => this.#close(instance)));
  }

  async #waitForLoad(
    wanted: Loadable,
    signal: AbortSignal,
    onWaiting: ((progress: number | null) => void) | undefined,
  ): Promise<void> {
    this.#refuseQuarantined(wanted.id);
    const known = this.#jobs.get(wanted.id);
    if (known?.stop.signal.aborted) {
      // All who wanted it left, and it is just ending: start anew after that.
      await abortable(
        known.done.catch(() => undefined),
        signal,
      );
      return;
    }
    const job = known ?? this.#startJob(wanted);
    job.waiters++;
    if (onWaiting) {
      job.listeners.add(onWaiting);
      onWaiting(job.progress);
    }
    try {
      await abortable(job.done, signal);
    } finally {
      job.waiters--;
      if (onWaiting) job.listeners.delete(onWaiting);
      // Nobody wants it any more: do not load 200 GB for a question that was withdrawn.
      if (job.waiters === 0) job.stop.abort();
    }
  }

  #startJob(wanted: Loadable): LoadJob {
    const stop = new AbortController();
    const before = this.#turn;
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    const job: LoadJob = { done, stop, listeners: new Set(), waiters: 0, progress: null };
    const work = async () => {
      await abortable(before, stop.signal);
      await this.#load(wanted, job);
    };
    const running = work().catch((error: unknown) => {
      this.#noteFailure(wanted.id, error);
      throw error;
    });
    const settled = running.finally(() => {
      this.#jobs.delete(wanted.id);
      this.#changed();
    });
    settled.then(resolve, reject);
    // A waiter may have left before the end; the failure is recorded all the same.
    done.catch(() => undefined);
    this.#turn = Promise.allSettled([before, settled]);
    this.#jobs.set(wanted.id, job);
    this.#changed();
    return job;
  }

  async #load(wanted: Loadable, job: LoadJob): Promise<void> {
    const { signal } = job.stop;
    const backoff = this.#crashRecord(wanted.id).backoffLeft(this.#clock.now());
    if (backoff > 0) await this.#clock.sleep(backoff, signal);
    await this.#makeRoom(wanted, signal);
    const { model, reserved } = await this.#loadOrFallOneRung(wanted, job);
    const measured = await wanted.settle(model, reserved);
    if (signal.aborted) {
      await model[Symbol.asyncDispose]();
      reserved.reservation[Symbol.dispose]();
      throw cancelled();
    }
    this.#errors.delete(wanted.id);
    this.#keep({
      id: wanted.id,
      embedded: wanted.embedded,
      model,
      plan: reserved.plan,
      measured,
      measureAfterUse: reserved.plan.gpuLayers > 0 ? () => wanted.settle(model, reserved) : null,
      reservation: reserved.reservation,
      uses: 0,
      lastUse: this.#clock.now(),
      closing: null,
    });
  }

  /** Memory can be short in spite of the plan: others took some meanwhile, or it is in pieces. Then one lower rung is tried. */
  async #loadOrFallOneRung(wanted: Loadable, job: LoadJob): Promise<{ model: LoadedModel; reserved: ReservedPlan }> {
    const first = await wanted.reserve(null, job.stop.signal);
    if (!first) throw new Error("There is always a first plan.");
    try {
      return await this.#loadReserved(wanted, first, job);
    } catch (error) {
      if (CorralError.reportOf(error).code !== "INSUFFICIENT_MEMORY") throw error;
      const second = await wanted.reserve(first.plan, job.stop.signal);
      if (!second) throw error;
      this.#logger.warn("load-fell-one-rung", { model: wanted.id, reason: second.plan.reasons[0] ?? "" }, error);
      return this.#loadReserved(wanted, second, job);
    }
  }

  async #loadReserved(wanted: Loadable, reserved: ReservedPlan, job: LoadJob) {
    this.#progress(job, 0);
    try {
      const model = await this.#engine.load({ id: wanted.id, path: wanted.path }, loadSettings(reserved.plan), {
        signal: job.stop.signal,
        onProgress: (fraction) => this.#progress(job, fraction),
      });
      return { model, reserved };
    } catch (error) {
      reserved.reservation[Symbol.dispose]();
      throw error;
    }
  }

  #keep(instance: Instance): void {
    this.#instances.set(instance.id, instance);
    void instance.model.ended.then((end) => {
      instance.reservation[Symbol.dispose]();
      if (this.#instances.get(instance.id) === instance) this.#instances.delete(instance.id);
      if (end) {
        const message = `The engine of ${instance.id} stopped: ${end.reason}.`;
        this.#noteFailure(instance.id, new CorralError("ENGINE_CRASHED", message, { model: instance.id }));
      }
      this.#release();
      this.#changed();
    });
  }

  /** Unloads the other model that is not embedded, least recently used first, as soon as nobody uses it. */
  async #makeRoom(wanted: Loadable, signal: AbortSignal): Promise<void> {
    if (wanted.embedded) return;
    for (;;) {
      if (signal.aborted) throw cancelled();
      const others = [...this.#instances.values()].filter(({ id, embedded }) => !embedded && id !== wanted.id);
      if (others.length === 0) return;
      const idle = others.filter(({ uses }) => uses === 0).toSorted((a, b) => a.lastUse - b.lastUse);
      if (idle[0]) await this.#close(idle[0]);
      else await abortable(this.#released.promise, signal);
    }
  }

  async #untilIdle(instance: Instance, signal: AbortSignal): Promise<void> {
    while (instance.uses > 0 && this.#instances.get(instance.id) === instance) {
      await abortable(this.#released.promise, signal);
    }
  }

  async #close(instance: Instance): Promise<void> {
    instance.closing ??= this.#end(instance);
    this.#changed();
    await instance.closing;
  }

  async #end(instance: Instance): Promise<void> {
    try {
      await instance.model[Symbol.asyncDispose]();
    } finally {
      if (this.#instances.get(instance.id) === instance) this.#instances.delete(instance.id);
      this.#release();
      this.#changed();
    }
  }

  #release(): void {
    this.#released.resolve();
    this.#released = Promise.withResolvers<void>();
  }

  #progress(job: LoadJob, fraction: number): void {
    job.progress = fraction;
    for (const listener of job.listeners) listener(fraction);
    this.#changed();
  }

  #noteFailure(id: string, error: unknown): void {
    const report = CorralError.reportOf(error);
    if (report.code === "CANCELLED") return;
    this.#errors.set(id, report);
    // A file that cannot be read or memory that is too small will not crash anything.
    if (report.code === "ENGINE_CRASHED" || report.code === "MODEL_LOAD_FAILED") {
      this.#crashRecord(id).note(this.#clock.now());
    }
    this.#logger.warn("model-failed", { model: id, code: report.code }, error);
  }

  #refuseQuarantined(id: string): void {
    const retryAfterMs = Math.ceil(this.#crashRecord(id).quarantineLeft(this.#clock.now()));
    if (retryAfterMs <= 0) return;
    const minutes = Math.ceil(retryAfterMs / 60_000);
    const message = `${id} crashed three times in five minutes, so it is left alone for another ${minutes} min. Choose another model meanwhile. Last problem: ${this.#errors.get(id)?.message ?? "unknown"}`;
    throw new CorralError("MODEL_QUARANTINED", message, { model: id, retryAfterMs });
  }

  #crashRecord(id: string): CrashRecord {
    let record = this.#crashes.get(id);
    if (!record) this.#crashes.set(id, (record = new CrashRecord()));
    return record;
  }
}

/** The resident memory of an engine grows as its buffers are used. */
function withPeak({ model, measured }: Instance): MeasuredMemory[] {
  const peakBytes = model.resident?.peakBytes;
  return peakBytes === undefined
    ? measured
    : measured.map((device) => (device.id === "cpu" ? { ...device, peakBytes } : device));
}
