import {
  CorralError,
  type HardwareSnapshot,
  type LoadPlan,
  type MeasuredMemory,
  type ModelShape,
} from "@corral/protocol";
import type { LoadedModel } from "../engines/engine.ts";
import type { Hardware } from "../hardware/hardware.ts";
import { MemoryLedger, type BytesByDevice, type Reservation } from "../hardware/memory-ledger.ts";
import type { Logger } from "../logger.ts";
import { neededBytes } from "../planning/placement.ts";
import { isAsGood } from "../planning/as-good.ts";
import { draftBytes, withDraft } from "../planning/draft.ts";
import { planLoad, type LoadWish } from "../planning/plan-load.ts";
import type { Drafts } from "./draft-choice.ts";
import { measuredMemory, type Corrections, type FitRecord } from "./fit-record.ts";
import type { PlanWithout } from "./make-room.ts";
import type { LibraryModel } from "./model-library.ts";
import { nextRung, type Rung } from "./next-rung.ts";
import { plannedFile } from "./planner.ts";
import { threadsFor } from "./thread-count.ts";

/** A plan with the memory set aside for it. */
export interface ReservedPlan {
  plan: LoadPlan;
  reservation: Reservation;
  /** What earlier loads taught, as counted in the plan. */
  corrections: Corrections;
}

/** How many replies the reader writes side by side: it is small enough. */
const readerSequences = 2;
/** How many replies other models write side by side, unless the owner says otherwise: where processors do the work, more only share its speed. */
const usualReplies = { gpu: 4, cpu: 2 };
/** Five million parameters gain nothing from a second thread (see thread-count.ts for what it can cost). */
const readerThreads = 1;

/** Plans a load, sets its memory aside, and afterwards measures what it really took, so that the next plan knows better. */
export class FitContract {
  readonly #ledger: MemoryLedger;
  readonly #hardware: Hardware;
  readonly #record: FitRecord;
  readonly #logger: Logger;
  readonly #loadAverage: () => number;
  readonly #parallelReplies: () => number | null;
  readonly #contextSizeOf: (model: string) => number | null;

  constructor(options: {
    hardware: Hardware;
    record: FitRecord;
    logger: Logger;
    loadAverage: () => number;
    /** How many replies a model writes side by side; null: as many as cost nothing, up to a few. */
    parallelReplies?: () => number | null;
    /** The context the owner wants of a model, tokens; null: what suits model and machine. */
    contextSizeOf?: (model: string) => number | null;
  }) {
    this.#ledger = new MemoryLedger(options.hardware);
    this.#hardware = options.hardware;
    this.#record = options.record;
    this.#logger = options.logger;
    this.#loadAverage = options.loadAverage;
    this.#parallelReplies = options.parallelReplies ?? (() => null);
    this.#contextSizeOf = options.contextSizeOf ?? (() => null);
  }

  /**
   * How the model would be loaded now, as a function of what would be gone.
   * @throws CorralError what is wrong with the file, CANCELLED
   */
  async look(model: LibraryModel, drafts: Drafts, signal: AbortSignal): Promise<PlanWithout> {
    const lessons = await this.#lessons(model);
    const hardware = await this.#ledger.look(signal);
    return (gone) => this.#plan(model, drafts, hardware(gone), lessons, null).plan;
  }

  /**
   * Plans with what is free this moment, and sets it aside.
   * @param failed a plan whose load failed for lack of memory: the next rung is planned
   * @returns null when there is no next rung
   * @throws CorralError what is wrong with the file, INSUFFICIENT_MEMORY, CANCELLED
   */
  async reserve(
    model: LibraryModel,
    drafts: Drafts,
    failed: LoadPlan | null,
    signal: AbortSignal,
  ): Promise<ReservedPlan | null> {
    const rung = failed && nextRung(failed, headerOf(model).shape);
    if (failed && !rung) return null;
    const lessons = await this.#lessons(model);
    const choose = (hardware: HardwareSnapshot) => {
      const choice = this.#plan(model, drafts, hardware, lessons, rung);
      if (!choice.plan.fits) throw insufficientMemory(model, choice.plan);
      return { choice, needs: needsOf(choice.plan) };
    };
    const { choice, reservation } = await this.#ledger.reserve(choose, signal);
    return { ...choice, reservation };
  }

  /** Measures a loaded model, now and once more after its first use. Never throws: what cannot be measured must not cost the load. */
  async settle(model: LoadedModel, { plan, reservation, corrections }: ReservedPlan): Promise<MeasuredMemory[]> {
    if (model.facts.memory.every(({ weightsBytes }) => weightsBytes === 0)) {
      // An engine that does not tell teaches nothing.
      reservation.settle(hiddenOf(plan, plan.devices));
      return [];
    }
    const hasGpu = plan.gpuLayers > 0;
    const after = hasGpu ? await this.#hardware.snapshot().catch(() => null) : null;
    const measured = measuredMemory(model, plan, after);
    reservation.settle(hiddenOf(plan, measured));
    // A GPU that could not be read, or whose memory went back meanwhile, teaches nothing.
    if (measured.some(({ id, overheadBytes }) => id !== "cpu" && overheadBytes === null)) return measured;
    await this.#record.add(model, plan, measured, corrections).catch((error: unknown) => {
      this.#logger.warn("fit-not-recorded", { model: plan.model }, error);
    });
    return measured;
  }

  #lessons(model: LibraryModel): Promise<(hardware: HardwareSnapshot) => Corrections> {
    return this.#record.lessons(model.id, headerOf(model).quantization);
  }

  #plan(
    model: LibraryModel,
    drafts: Drafts,
    snapshot: HardwareSnapshot,
    lessons: (hardware: HardwareSnapshot) => Corrections,
    rung: Rung | null,
  ): Omit<ReservedPlan, "reservation"> {
    const header = headerOf(model);
    const { purpose } = header;
    // The reader stays on the CPU: a GPU's runtime alone takes a hundred times the memory the model needs.
    const hardware = model.embedded ? { ...snapshot, gpus: [] } : snapshot;
    const corrections = lessons(hardware);
    const planFor = (wish: LoadWish) => planLoad(plannedFile(model.id, header), hardware, wish);
    const own = model.embedded
      ? planFor(
          withRung(
            {
              contextSize: header.shape.trainContextSize,
              users: this.#parallelReplies() ?? readerSequences,
              hasEqualSlots: true,
              corrections,
            },
            rung,
          ),
        )
      : purpose === "generate"
        ? this.#forSeveral(
            (users) => planFor(withRung({ contextSize: this.#contextSizeOf(model.id), users, corrections }, rung)),
            hardware,
            rung,
          )
        : planFor(readingWish(header.shape, purpose, corrections));
    // Where memory was short, a draft model is the first to go.
    const plan = rung ? own : drafted(own, drafts, hardware);
    const { physicalCores, logicalCores } = hardware.cpu;
    const threads = model.embedded
      ? readerThreads
      : threadsFor({ physicalCores, logicalCores, loadAverage: this.#loadAverage() });
    const reasons = rung ? [rung.reason, ...plan.reasons] : plan.reasons;
    return { plan: { ...plan, threads, reasons }, corrections };
  }

  /** With slots for as many as there is room for at no cost to the first. */
  #forSeveral(planFor: (users: number) => LoadPlan, hardware: HardwareSnapshot, rung: Rung | null): LoadPlan {
    const asked = this.#parallelReplies();
    const alone = planFor(1);
    // A second try, after memory was short, does with the least.
    if (!alone.fits || rung) return alone;
    const hasGpu = hardware.gpus.some(({ usable }) => usable);
    for (let users = asked ?? (hasGpu ? usualReplies.gpu : usualReplies.cpu); users > 1; users--) {
      const plan = planFor(users);
      if (plan.fits && (asked !== null || isAsGood(plan, alone))) return plan;
    }
    return alone;
  }
}

/** With the draft model that was chosen, where there is room for it; else with a word about those that could be. */
function drafted(plan: LoadPlan, { chosen, offers }: Drafts, hardware: HardwareSnapshot): LoadPlan {
  const beside = (draft: LibraryModel) => withDraft(plan, plannedFile(draft.id, headerOf(draft)), hardware);
  const taken = (withIt: LoadPlan) => `${(draftBytes(plan, withIt) / 2 ** 30).toFixed(1)} GiB`;
  if (chosen) {
    const withIt = beside(chosen);
    if (!withIt) return { ...plan, reasons: [...plan.reasons, `There is no room for the draft model ${chosen.name}.`] };
    const reason = `${chosen.name} guesses tokens ahead for it where that is measured to be faster, and takes ${taken(withIt)}.`;
    return { ...withIt, reasons: [...plan.reasons, reason] };
  }
  for (const offer of offers) {
    const withIt = beside(offer);
    if (!withIt) continue;
    const reason = `${offer.name} has the same vocabulary and could guess tokens ahead for it, which would take ${taken(withIt)} more.`;
    return { ...plan, reasons: [...plan.reasons, reason] };
  }
  return plan;
}

/** A text is evaluated in one step, so memory grows with the square of the longest: chunks of documents are far shorter. Tokens. */
const longestText = 2048;

/** For vectors and scores: one text at a time. */
function readingWish(shape: ModelShape, purpose: "embed" | "rank", corrections: Corrections): LoadWish {
  const contextSize = Math.min(longestText, shape.trainContextSize);
  return { contextSize, users: 1, purpose, pins: { contextSize, kvCacheType: "f16" }, corrections };
}

function withRung<Wish extends { contextSize: number | null }>(wish: Wish, rung: Rung | null) {
  if (!rung) return wish;
  const { kvCacheType, contextSize } = rung;
  return { ...wish, contextSize, pins: { kvCacheType, contextSize } };
}

function headerOf({ header, problem }: LibraryModel) {
  if (header) return header;
  const { code, message, data } = problem ?? CorralError.reportOf(null);
  throw new CorralError(code, message, data as never);
}

/** What the load itself takes: the reserve is for others. */
function needsOf(plan: LoadPlan): BytesByDevice {
  return new Map(plan.devices.map((device) => [device.id, neededBytes(device) - device.reserveBytes]));
}

/**
 * Part of a loaded model looks available. Without a GPU that is the compute buffer, which becomes resident as it is used; with
 * one, the weights that stay in main memory, which are mapped from their file.
 */
function hiddenOf(
  { gpuLayers }: LoadPlan,
  devices: readonly Pick<MeasuredMemory, "id" | "weightsBytes" | "computeBytes">[],
): BytesByDevice {
  const main = devices.find(({ id }) => id === "cpu");
  return new Map(main ? [["cpu", gpuLayers > 0 ? main.weightsBytes : main.computeBytes]] : []);
}

function insufficientMemory(model: LibraryModel, plan: LoadPlan): CorralError<"INSUFFICIENT_MEMORY"> {
  const message = `${model.name} does not fit into the memory of this machine. ${plan.reasons[0] ?? ""}`;
  const devices = plan.devices.map((device) => ({
    id: device.id,
    name: device.name,
    neededBytes: neededBytes(device),
    freeBytes: device.freeBytes,
  }));
  return new CorralError("INSUFFICIENT_MEMORY", message, { devices });
}
