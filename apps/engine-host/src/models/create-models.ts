import { CorralError, type LoadPlan, type ModelSummary } from "@corral/protocol";
import type { Engine } from "../engines/engine.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { Logger } from "../logger.ts";
import { neededBytes } from "../planning/placement.ts";
import { planLoad } from "../planning/plan-load.ts";
import { tierOf } from "../planning/precision-tier.ts";
import type { Store } from "../store/store.ts";
import { cancelled, systemClock, type Clock } from "./abortable.ts";
import { LoadedModels, type Instance, type Loadable } from "./loaded-models.ts";
import { ModelLibrary, type LibraryModel } from "./model-library.ts";
import type { ModelLease, Models } from "./models.ts";
import { plannedFile } from "./planner.ts";

export interface ModelsOptions {
  store: Pick<Store, "modelFiles">;
  engine: Engine;
  hardware: Hardware;
  logger: Logger;
  /** The GGUF file of the reader model that ships with Corral; null: none does. */
  embeddedModelPath: string | null;
  clock?: Clock;
}

/** How many replies the reader writes side by side: it is small enough. */
const readerSequences = 2;
/**
 * ggml's threads spin while they wait for each other, so on busy cores two are slower than one by a factor of a hundred
 * (2 cores at load 12: 21 tokens in 8 s against 39 ms). Five million parameters gain nothing from a second one.
 */
const readerThreads = 1;

/** The models of this machine. */
export function createModels(options: ModelsOptions): Models {
  return new ModelService(options);
}

class ModelService implements Models {
  readonly #library: ModelLibrary;
  readonly #loaded: LoadedModels;
  readonly #hardware: Hardware;
  readonly #lifetime = new AbortController();
  readonly #watchers = new Set<() => void>();

  constructor({ store, engine, hardware, logger, embeddedModelPath, clock = systemClock }: ModelsOptions) {
    this.#library = new ModelLibrary(store.modelFiles, embeddedModelPath);
    this.#loaded = new LoadedModels(engine, clock, logger, () => this.#changed());
    this.#hardware = hardware;
  }

  async list(): Promise<ModelSummary[]> {
    return (await this.#library.list()).map((model) => this.#summary(model));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ModelSummary[], void> {
    const end = AbortSignal.any([signal, this.#lifetime.signal]);
    let wake = Promise.withResolvers<void>();
    const notice = () => wake.resolve();
    this.#watchers.add(notice);
    end.addEventListener("abort", notice);
    try {
      while (!end.aborted) {
        yield await this.list();
        if (end.aborted) return;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#watchers.delete(notice);
      end.removeEventListener("abort", notice);
    }
  }

  async add(path: string): Promise<ModelSummary> {
    const model = await this.#library.add(path);
    this.#changed();
    return this.#summary(model);
  }

  async remove(id: string): Promise<void> {
    await this.#library.remove(id);
    await this.#loaded.unload(id, this.#lifetime.signal);
    this.#changed();
  }

  async plan(id: string): Promise<LoadPlan> {
    const model = await this.#library.get(id);
    return this.#loaded.condition(id).plan ?? this.#newPlan(model, this.#lifetime.signal);
  }

  async load(id: string, signal: AbortSignal): Promise<ModelSummary> {
    await using lease = await this.acquire(id, { signal });
    return lease.summary;
  }

  async unload(id: string): Promise<ModelSummary> {
    await this.#library.get(id);
    await this.#loaded.unload(id, this.#lifetime.signal);
    return this.#summary(await this.#library.get(id));
  }

  async acquire(
    id: string | null,
    { signal, onWaiting }: { signal: AbortSignal; onWaiting?: (progress: number | null) => void },
  ): Promise<ModelLease> {
    const until = AbortSignal.any([signal, this.#lifetime.signal]);
    if (until.aborted) throw cancelled();
    const model = id === null ? await this.#library.default() : await this.#library.get(id);
    const instance = await this.#loaded.take(this.#loadable(model), until, onWaiting);
    return this.#lease(this.#summary(model), instance);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort();
    await this.#loaded.dispose();
  }

  #lease(summary: ModelSummary, instance: Instance): ModelLease {
    let isHeld = true;
    return {
      summary,
      model: instance.model,
      [Symbol.asyncDispose]: () => {
        if (isHeld) this.#loaded.giveBack(instance);
        isHeld = false;
        return Promise.resolve();
      },
    };
  }

  #loadable(model: LibraryModel): Loadable {
    const plan = async (signal: AbortSignal) => {
      const made = await this.#newPlan(model, signal);
      if (!made.fits) throw insufficientMemory(model, made);
      return made;
    };
    return { id: model.id, path: model.path, embedded: model.embedded, plan };
  }

  /** @throws CorralError what is wrong with the file, CANCELLED */
  async #newPlan(model: LibraryModel, signal: AbortSignal): Promise<LoadPlan> {
    if (!model.header) {
      const { code, message, data } = model.problem ?? CorralError.reportOf(null);
      throw new CorralError(code, message, data as never);
    }
    const hardware = await this.#hardware.snapshot(signal);
    const planned = plannedFile(model.id, model.header);
    if (!model.embedded) return planLoad(planned, hardware, { contextSize: null, users: 1 });
    // The reader stays on the CPU: a GPU's runtime alone takes a hundred times the memory the model needs.
    const wish = { contextSize: model.header.shape.trainContextSize, users: readerSequences, hasEqualSlots: true };
    return { ...planLoad(planned, { ...hardware, gpus: [] }, wish), threads: readerThreads };
  }

  #summary(model: LibraryModel): ModelSummary {
    const { state, loadProgress, plan, lastError } = this.#loaded.condition(model.id);
    const { header } = model;
    return {
      id: model.id,
      name: model.name,
      file: model.path,
      fileBytes: model.fileBytes,
      ability: model.embedded ? "quote" : "chat",
      embedded: model.embedded,
      shape: header?.shape ?? null,
      tier: tierOf(header?.quantization ?? ""),
      quantization: header?.quantization ?? "unknown",
      state: model.isAbsent && state === "unloaded" ? "absent" : state,
      loadProgress,
      contextSize: plan?.contextSize ?? null,
      lastError: lastError ?? model.problem,
    };
  }

  #changed(): void {
    for (const notice of this.#watchers) notice();
  }
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
