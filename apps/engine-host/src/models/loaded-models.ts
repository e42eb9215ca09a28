import { CorralError, type ErrorReport, type LoadPlan, type MeasuredMemory } from "@corral/protocol";
import type { Engine, LoadedModel } from "../engines/engine.ts";
import type { Logger } from "../logger.ts";
import { abortable, cancelled, type Clock } from "./abortable.ts";
import type { ReservedPlan } from "./fit-contract.ts";
import { loadSettings, type ServingFiles } from "./load-settings.ts";
import type { PlanWithout } from "./make-room.ts";
import { measureAfterUse, ModelLife, withPeak, type Instance, type LoadJob } from "./model-life.ts";
import type { LoadState } from "./model-states.ts";
import { RoomMaker } from "./room-maker.ts";
import type { Scheduler } from "./scheduler.ts";
import { TextTurns } from "./text-turns.ts";

/** What is needed to load one model. */
export interface Loadable {
  id: string;
  path: string;
  purpose: "generate" | "embed" | "rank";
  /** Stays loaded beside any other model: it is small. */
  embedded: boolean;
  /** Files beside the model's own that its engine uses. */
  files: ServingFiles;
  /** How it would be loaded now, with others gone. @throws CorralError what is wrong with the file, CANCELLED */
  look(signal: AbortSignal): Promise<PlanWithout>;
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
  state: LoadState;
  /** 0..1 while loading. */
  loadProgress: number | null;
  plan: LoadPlan | null;
  measured: MeasuredMemory[];
  lastError: ErrorReport | null;
}

export interface LoadedModelsOptions {
  engine: Engine;
  clock: Clock;
  logger: Logger;
  /** An unused model is unloaded after so long, ms; null: never. */
  keepAliveMs: () => number | null;
  /** Makes what gives out the slots of a model that was just loaded. */
  schedulerFor: (id: string, model: LoadedModel, plan: LoadPlan) => Scheduler;
  /** Told when a model's condition changed. */
  changed: () => void;
  /** Told of each load that succeeded and each crash, for the counters. */
  noted: (id: string, event: "loaded" | "crashed") => void;
}

/** Longer timers fire at once, ms. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Which models are loaded: as many as fit, each as well as it could be alone. One load at a time. What is not used for a
 * while goes, and so does what others need more (see make-room.ts); a model in use is never taken away, and the embedded one
 * always stays. A crash costs the running replies; the model is loaded again after a pause, and left alone after three
 * crashes in five minutes.
 */
export class LoadedModels {
  readonly #options: LoadedModelsOptions;
  readonly #lives = new Map<string, ModelLife>();
  readonly #room: RoomMaker;
  /** Resolved and replaced each time an instance becomes idle or goes. */
  #released = Promise.withResolvers<void>();
  #turn: Promise<unknown> = Promise.resolve();
  readonly #disposed = new AbortController();

  constructor(options: LoadedModelsOptions) {
    this.#options = options;
    this.#room = new RoomMaker({
      clock: options.clock,
      replaceable: (id) => this.replaceable(id),
      close: (instance) => this.#close(instance),
      released: () => this.#released.promise,
    });
  }

  condition(id: string): Condition {
    const life = this.#life(id);
    const { instance, job, lastError } = life;
    return {
      state: life.stateAt(this.#options.clock.now()),
      loadProgress: job?.progress ?? null,
      plan: instance?.plan ?? null,
      measured: instance ? withPeak(instance) : [],
      lastError,
    };
  }

  /** The loaded model, without taking it; null: it is not loaded. */
  instance(id: string): Instance | null {
    return this.#life(id).instance;
  }

  /**
   * The loaded model for one use; `giveBack` ends the use.
   * @throws CorralError MODEL_QUARANTINED, CANCELLED, and what stops a load
   */
  async take(wanted: Loadable, signal: AbortSignal, onWaiting?: (progress: number | null) => void): Promise<Instance> {
    const life = this.#life(wanted.id);
    for (;;) {
      if (signal.aborted) throw cancelled();
      const { instance } = life;
      if (instance?.closing) {
        await abortable(instance.closing, signal);
      } else if (instance?.draining) {
        onWaiting?.(null);
        await abortable(instance.draining, signal);
      } else if (instance) {
        instance.uses++;
        instance.lastUse = this.#options.clock.now();
        instance.idle.abort();
        life.happen("taken");
        this.#options.changed();
        return instance;
      } else {
        await this.#waitForLoad(wanted, life, signal, onWaiting);
      }
    }
  }

  giveBack(instance: Instance): void {
    instance.uses--;
    instance.lastUse = this.#options.clock.now();
    const life = this.#life(instance.id);
    if (instance.uses === 0 && life.instance === instance) {
      life.happen("released");
      this.#release();
      this.#unloadWhenUnused(instance);
    }
    this.#options.changed();
    void measureAfterUse(instance).then(() => this.#options.changed());
  }

  /** Stops a load; a loaded model first finishes the replies it is writing. Nothing to do for one that is not loaded. */
  async unload(id: string, signal: AbortSignal): Promise<void> {
    const life = this.#life(id);
    life.job?.stop.abort();
    await life.job?.done.catch(() => undefined);
    const { instance } = life;
    if (!instance) return;
    while (instance.uses > 0 && life.instance === instance) await abortable(this.#released.promise, signal);
    await this.#close(instance);
  }

  /** What a load of this model might unload: all that need not stay. */
  replaceable(id: string): Instance[] {
    return this.#instances().filter((other) => !other.embedded && other.id !== id);
  }

  /** The time unused models are kept has changed. */
  keepAliveChanged(): void {
    for (const instance of this.#instances()) if (instance.uses === 0) this.#unloadWhenUnused(instance);
  }

  /** Ends everything now. */
  async dispose(): Promise<void> {
    this.#disposed.abort();
    const jobs = [...this.#lives.values()].flatMap(({ job }) => job ?? []);
    for (const job of jobs) job.stop.abort();
    await Promise.allSettled(jobs.map(({ done }) => done));
    await Promise.all(this.#instances().map((instance) => this.#close(instance)));
  }

  async #waitForLoad(
    wanted: Loadable,
    life: ModelLife,
    signal: AbortSignal,
    onWaiting: ((progress: number | null) => void) | undefined,
  ): Promise<void> {
    life.refuseQuarantined(this.#options.clock.now());
    if (life.job?.stop.signal.aborted) {
      // All who wanted it left, and it is just ending: start anew after that.
      const ended = life.job.done.catch(() => undefined);
      await abortable(ended, signal);
      return;
    }
    const job = life.job ?? this.#startJob(wanted, life);
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

  #startJob(wanted: Loadable, life: ModelLife): LoadJob {
    const stop = new AbortController();
    const before = this.#turn;
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    const job: LoadJob = { done, stop, listeners: new Set(), waiters: 0, progress: null };
    const work = async () => {
      try {
        await abortable(before, stop.signal);
        await this.#load(wanted, life, job);
      } catch (error) {
        const isWithdrawn = CorralError.reportOf(error).code === "CANCELLED";
        life.happen(isWithdrawn ? "withdrawn" : "failed");
        if (!isWithdrawn) this.#noteError(life, error);
        throw error;
      } finally {
        life.job = null;
        this.#options.changed();
      }
    };
    life.happen("wanted");
    life.job = job;
    const settled = work();
    settled.then(resolve, reject);
    // A waiter may have left before the end; the failure is recorded all the same.
    done.catch(() => undefined);
    this.#turn = Promise.allSettled([before, settled]);
    this.#options.changed();
    return job;
  }

  async #load(wanted: Loadable, life: ModelLife, job: LoadJob): Promise<void> {
    const { signal } = job.stop;
    const { clock } = this.#options;
    const backoff = life.crashes.backoffLeft(clock.now());
    if (backoff > 0) await clock.sleep(backoff, signal);
    if (!wanted.embedded) await this.#room.makeRoomFor(wanted, signal);
    const { model, reserved } = await this.#loadOrFallOneRung(wanted, life, job);
    const measured = await wanted.settle(model, reserved);
    if (signal.aborted) {
      await model[Symbol.asyncDispose]();
      reserved.reservation[Symbol.dispose]();
      throw cancelled();
    }
    life.lastError = null;
    this.#keep(wanted, life, {
      id: wanted.id,
      purpose: wanted.purpose,
      embedded: wanted.embedded,
      model,
      plan: reserved.plan,
      scheduler: this.#options.schedulerFor(wanted.id, model, reserved.plan),
      turns: new TextTurns(),
      measured,
      measureAfterUse: reserved.plan.gpuLayers > 0 ? () => wanted.settle(model, reserved) : null,
      reservation: reserved.reservation,
      loadMs: model.facts.loadMs,
      uses: 0,
      lastUse: clock.now(),
      idle: new AbortController(),
      closing: null,
      draining: null,
    });
  }

  /** Memory can be short in spite of the plan: others took some meanwhile, or it is in pieces. Then one lower rung is tried. */
  async #loadOrFallOneRung(wanted: Loadable, life: ModelLife, job: LoadJob) {
    const first = await wanted.reserve(null, job.stop.signal);
    if (!first) throw new Error("There is always a first plan.");
    life.happen("started");
    try {
      return await this.#loadReserved(wanted, first, job);
    } catch (error) {
      if (CorralError.reportOf(error).code !== "INSUFFICIENT_MEMORY") throw error;
      const second = await wanted.reserve(first.plan, job.stop.signal);
      if (!second) throw error;
      const reason = second.plan.reasons[0] ?? "";
      this.#options.logger.warn("load-fell-one-rung", { model: wanted.id, reason }, error);
      return this.#loadReserved(wanted, second, job);
    }
  }

  async #loadReserved(
    { id, path, purpose, files }: Loadable,
    reserved: ReservedPlan,
    job: LoadJob,
  ): Promise<{ model: LoadedModel; reserved: ReservedPlan }> {
    this.#progress(job, 0);
    try {
      const settings = loadSettings(reserved.plan, purpose, files);
      const model = await this.#options.engine.load({ id, path }, settings, {
        signal: job.stop.signal,
        onProgress: (fraction) => this.#progress(job, fraction),
      });
      return { model, reserved };
    } catch (error) {
      reserved.reservation[Symbol.dispose]();
      throw error;
    }
  }

  #keep(wanted: Loadable, life: ModelLife, instance: Instance): void {
    life.instance = instance;
    life.happen("loaded");
    this.#options.noted(instance.id, "loaded");
    this.#unloadWhenUnused(instance);
    void instance.model.ended.then((end) => {
      this.#gone(life, instance, end);
      if (end && wanted.purpose === "generate") this.#comeBack(wanted);
    });
  }

  /** A model that crashed is there again for the next question, after its pause, unless it crashes too often. */
  #comeBack(wanted: Loadable): void {
    const again = this.take(wanted, this.#disposed.signal);
    again.then(
      (instance) => this.giveBack(instance),
      // Noted where it happened.
      () => undefined,
    );
  }

  /** Its engine has ended; `end` says why when nobody told it to. */
  #gone(life: ModelLife, instance: Instance, end: { reason: string } | null): void {
    instance.reservation[Symbol.dispose]();
    instance.idle.abort();
    if (life.instance !== instance) return;
    life.instance = null;
    life.happen(end ? "crashed" : "ended");
    if (end) {
      this.#options.noted(instance.id, "crashed");
      const message = `The engine of ${instance.id} stopped: ${end.reason}.`;
      this.#noteError(life, new CorralError("ENGINE_CRASHED", message, { model: instance.id }));
    }
    this.#release();
    this.#options.changed();
  }

  #unloadWhenUnused(instance: Instance): void {
    instance.idle.abort();
    const keepAliveMs = this.#options.keepAliveMs();
    if (instance.embedded || instance.closing || keepAliveMs === null) return;
    const idle = (instance.idle = new AbortController());
    const unload = () => {
      if (!idle.signal.aborted && instance.uses === 0) void this.#close(instance);
    };
    this.#options.clock.sleep(Math.min(keepAliveMs, longestTimerMs), idle.signal).then(unload, () => undefined);
  }

  async #close(instance: Instance): Promise<void> {
    instance.closing ??= this.#end(instance);
    this.#options.changed();
    await instance.closing;
  }

  async #end(instance: Instance): Promise<void> {
    const life = this.#life(instance.id);
    if (life.instance === instance) life.happen("closed");
    try {
      await instance.model[Symbol.asyncDispose]();
    } finally {
      this.#gone(life, instance, null);
    }
  }

  #release(): void {
    this.#released.resolve();
    this.#released = Promise.withResolvers<void>();
  }

  #progress(job: LoadJob, fraction: number): void {
    job.progress = fraction;
    for (const listener of job.listeners) listener(fraction);
    this.#options.changed();
  }

  #noteError(life: ModelLife, error: unknown): void {
    const report = CorralError.reportOf(error);
    life.noteError(report, this.#options.clock.now());
    this.#options.logger.warn("model-failed", { model: life.id, code: report.code }, error);
  }

  #instances(): Instance[] {
    return [...this.#lives.values()].flatMap(({ instance }) => instance ?? []);
  }

  #life(id: string): ModelLife {
    let life = this.#lives.get(id);
    if (!life) this.#lives.set(id, (life = new ModelLife(id)));
    return life;
  }
}
