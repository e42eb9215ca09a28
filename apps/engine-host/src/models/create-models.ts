import { loadavg } from "node:os";
import { CorralError, type LoadPlan, type ModelSummary } from "@corral/protocol";
import type { Engine } from "../engines/engine.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { Logger } from "../logger.ts";
import { tierOf } from "../planning/precision-tier.ts";
import type { Store } from "../store/store.ts";
import { cancelled, systemClock, type Clock } from "./abortable.ts";
import { FitContract } from "./fit-contract.ts";
import { FitRecord } from "./fit-record.ts";
import { LoadedModels, type Instance, type Loadable } from "./loaded-models.ts";
import { ModelLibrary, quotesOnly, type LibraryModel } from "./model-library.ts";
import type { Embedder, ModelLease, Models, Reranker } from "./models.ts";
import { SpeedRecord } from "./speed-record.ts";

export interface ModelsOptions {
  store: Pick<Store, "modelFiles" | "fitMeasurements" | "settings">;
  engine: Engine;
  hardware: Hardware;
  logger: Logger;
  /** The GGUF file of the reader model that ships with Corral; null: none does. */
  embeddedModelPath: string | null;
  clock?: Clock;
  /** Runnable threads on this machine, averaged over a minute. Absent: the system's own figure. */
  loadAverage?: () => number;
}

/** The models of this machine. */
export function createModels(options: ModelsOptions): Models {
  return new ModelService(options);
}

class ModelService implements Models {
  readonly #library: ModelLibrary;
  readonly #loaded: LoadedModels;
  readonly #fit: FitContract;
  readonly #speeds: SpeedRecord;
  readonly #logger: Logger;
  readonly #lifetime = new AbortController();
  readonly #watchers = new Set<() => void>();

  constructor({ store, engine, hardware, logger, embeddedModelPath, ...options }: ModelsOptions) {
    const { clock = systemClock, loadAverage = () => loadavg()[0] ?? 0 } = options;
    this.#library = new ModelLibrary(store.modelFiles, embeddedModelPath);
    this.#loaded = new LoadedModels(engine, clock, logger, () => this.#changed());
    this.#speeds = new SpeedRecord(store.settings);
    this.#logger = logger;
    this.#fit = new FitContract({ hardware, record: new FitRecord(store.fitMeasurements), logger, loadAverage });
  }

  async list(): Promise<ModelSummary[]> {
    return Promise.all((await this.#library.list()).map((model) => this.#summary(model)));
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
    const { plan } = this.#loaded.condition(id);
    return this.#speeds.apply(
      plan ?? (await this.#fit.plan(model, this.#loaded.replacedBy(model), this.#lifetime.signal)),
    );
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
    return this.#lease(await this.#summary(model), instance);
  }

  embedder(): Promise<Embedder> {
    const message = "No embedding model is installed. Add one as a GGUF file under Models.";
    return Promise.reject(new CorralError("NO_MODEL", message, {}));
  }

  reranker(): Promise<Reranker> {
    const message = "No reranking model is installed. Add one as a GGUF file under Models.";
    return Promise.reject(new CorralError("NO_MODEL", message, {}));
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
      generate: (request, signal) => instance.model.generate(request, signal),
      noteSpeed: (statistics) => {
        const noted = this.#speeds.note(instance.plan, instance.model.facts.loadMs, statistics);
        noted.catch((error: unknown) => this.#logger.warn("speed not noted", { model: instance.id }, error));
      },
      [Symbol.asyncDispose]: () => {
        if (isHeld) this.#loaded.giveBack(instance);
        isHeld = false;
        return Promise.resolve();
      },
    };
  }

  #loadable(model: LibraryModel): Loadable {
    return {
      id: model.id,
      path: model.path,
      embedded: model.embedded,
      reserve: (failed, signal) => this.#fit.reserve(model, failed, signal),
      settle: (loaded, reserved) => this.#fit.settle(loaded, reserved),
    };
  }

  async #summary(model: LibraryModel): Promise<ModelSummary> {
    const { state, loadProgress, plan, measured, lastError } = this.#loaded.condition(model.id);
    const { header } = model;
    return {
      id: model.id,
      name: model.name,
      file: model.path,
      fileBytes: model.fileBytes,
      ability: quotesOnly(model) ? "quote" : "chat",
      embedded: model.embedded,
      shape: header?.shape ?? null,
      tier: tierOf(header?.quantization ?? ""),
      quantization: header?.quantization ?? "unknown",
      state: model.isAbsent && state === "unloaded" ? "absent" : state,
      loadProgress,
      contextSize: plan?.contextSize ?? null,
      lastError: lastError ?? model.problem,
      memory: plan && { plan: await this.#speeds.apply(plan), measured },
    };
  }

  #changed(): void {
    for (const notice of this.#watchers) notice();
  }
}
