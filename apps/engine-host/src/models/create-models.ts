import { mkdir, statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import {
  CorralError,
  type LoadPlan,
  type ModelsActivity,
  type ModelSummary,
  type ServingChanges,
  type ServingSettings,
} from "@corral/protocol";
import type { Engine } from "../engines/engine.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { Logger } from "../logger.ts";
import { tierOf } from "../planning/precision-tier.ts";
import type { Store } from "../store/store.ts";
import { cancelled, systemClock, type Clock } from "./abortable.ts";
import { ChangeFeed } from "./change-feed.ts";
import { abilityOf, DefaultModel } from "./default-model.ts";
import { embeddingPrefixesOf } from "./embedding-prefixes.ts";
import { draftsFor, refuseNoDraft, type Drafts } from "./draft-choice.ts";
import { FitContract } from "./fit-contract.ts";
import { FitRecord } from "./fit-record.ts";
import type { ServingFiles } from "./load-settings.ts";
import { LoadedModels, type Loadable } from "./loaded-models.ts";
import { activityOf } from "./model-activity.ts";
import { cacheKeyOf, leaseOf } from "./model-lease.ts";
import { ModelLibrary, type LibraryModel } from "./model-library.ts";
import { ModelStatistics } from "./model-statistics.ts";
import type { Embedder, ModelLease, Models, RequestClient, Reranker } from "./models.ts";
import { Scheduler } from "./scheduler.ts";
import { ServingSettingsRecord } from "./serving-settings.ts";
import { SpeedRecord } from "./speed-record.ts";
import { embedderOf, rerankerOf, type TextModel } from "./text-models.ts";
import { TokenUsage } from "./token-usage.ts";

export interface ModelsOptions {
  store: Pick<Store, "modelFiles" | "fitMeasurements" | "settings">;
  engine: Engine;
  hardware: Hardware;
  logger: Logger;
  /** The models of this machine; absent: read from the store, with this embedded one. */
  library?: ModelLibrary;
  /** The GGUF file of the reader model that ships with Corral; null: none does. */
  embeddedModelPath: string | null;
  /** Where KV caches of conversations that lost their slot are kept; absent or null: nowhere. */
  stateDirectory?: string | null;
  clock?: Clock;
  /** Runnable threads on this machine, averaged over a minute. Absent: the system's own figure. */
  loadAverage?: () => number;
}

/** The models of this machine. */
export function createModels(options: ModelsOptions): Models {
  return new ModelService(options);
}

/** Whoever calls without saying for whom is the user of this machine, at the screen. */
const owner: RequestClient = { user: "owner", priority: "interactive" };
/** Watchers of activity are told at most so often, ms. */
const activityPauseMs = 500;
/** KV caches on disk may take this share of the free space, and so many bytes, unless the owner says otherwise. */
const stateShare = 0.1;
const mostStateBytes = 10e9;

class ModelService implements Models {
  readonly #library: ModelLibrary;
  readonly #loaded: LoadedModels;
  readonly #engine: Engine;
  readonly #fit: FitContract;
  readonly #speeds: SpeedRecord;
  readonly #serving: ServingSettingsRecord;
  readonly #defaultModel: DefaultModel;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #stateDirectory: string | null;
  readonly #lifetime = new AbortController();
  readonly #models = new ChangeFeed();
  /** Changes of the models too, and of queues and slots. */
  readonly #work = new ChangeFeed();
  readonly #usage = new TokenUsage();
  readonly #statistics = new Map<string, ModelStatistics>();
  readonly #since = new Date().toISOString();

  constructor({
    store,
    engine,
    hardware,
    logger,
    embeddedModelPath,
    stateDirectory = null,
    ...options
  }: ModelsOptions) {
    const { clock = systemClock, loadAverage = () => loadavg()[0] ?? 0 } = options;
    this.#library = options.library ?? new ModelLibrary(store.modelFiles, embeddedModelPath);
    this.#serving = new ServingSettingsRecord(store.settings);
    this.#defaultModel = new DefaultModel(store.settings, this.#serving);
    this.#speeds = new SpeedRecord(store.settings);
    this.#engine = engine;
    this.#logger = logger;
    this.#clock = clock;
    this.#stateDirectory = stateDirectory;
    this.#fit = new FitContract({
      hardware,
      record: new FitRecord(store.fitMeasurements),
      logger,
      loadAverage,
      parallelReplies: () => this.#serving.current.parallelReplies,
      contextSizeOf: (id) => this.#serving.current.contextSizes[id] ?? null,
    });
    this.#loaded = new LoadedModels({
      engine,
      clock,
      logger,
      keepAliveMs: () => this.#serving.current.keepAliveMs,
      schedulerFor: (id, model, { slots }) =>
        new Scheduler({
          model,
          slots,
          clock,
          usage: this.#usage,
          statistics: this.#statisticsOf(id),
          rules: () => ({
            queueLimit: this.#serving.current.queueLimit,
            limitsOf: (user) => this.#serving.limitsOf(user),
          }),
          changed: () => this.#work.tell(),
        }),
      changed: () => this.#changed(),
      noted: (id, event) => this.#statisticsOf(id).counters[event === "loaded" ? "loads" : "crashes"]++,
    });
  }

  async list(): Promise<ModelSummary[]> {
    return Promise.all((await this.#ordered()).map((model) => this.#summary(model)));
  }

  watch(signal: AbortSignal): AsyncGenerator<ModelSummary[], void> {
    return this.#models.watch(() => this.list(), AbortSignal.any([signal, this.#lifetime.signal]));
  }

  async add(path: string, { inPassing = false }: { inPassing?: boolean } = {}): Promise<ModelSummary> {
    const before = new Set((await this.#library.list()).map(({ id }) => id));
    const model = await this.#library.add(path);
    await this.#defaultModel.noteAdded(model.id, inPassing, !before.has(model.id));
    this.#changed();
    return this.#summary(model);
  }

  async remove(id: string): Promise<void> {
    await this.#library.remove(id);
    await this.#defaultModel.noteRemoved(id);
    await this.#loaded.unload(id, this.#lifetime.signal);
    this.#changed();
  }

  async plan(id: string): Promise<LoadPlan> {
    const model = await this.#library.get(id);
    const { plan } = this.#loaded.condition(id);
    if (plan) return this.#speeds.apply(plan);
    await this.#serving.read();
    const planWithout = await this.#fit.look(model, await this.#draftsFor(model), this.#lifetime.signal);
    const others = model.embedded ? [] : this.#loaded.replaceable(id);
    return this.#speeds.apply(planWithout(others.map(({ reservation }) => reservation)));
  }

  async load(id: string, signal: AbortSignal): Promise<ModelSummary> {
    const until = AbortSignal.any([signal, this.#lifetime.signal]);
    const model = await this.#library.get(id);
    const instance = await this.#loaded.take(await this.#loadable(model), until);
    try {
      return await this.#summary(model);
    } finally {
      this.#loaded.giveBack(instance);
    }
  }

  async unload(id: string): Promise<ModelSummary> {
    await this.#library.get(id);
    await this.#loaded.unload(id, this.#lifetime.signal);
    return this.#summary(await this.#library.get(id));
  }

  async acquire(
    id: string | null,
    options: { signal: AbortSignal; onWaiting?: (progress: number | null) => void; client?: RequestClient },
  ): Promise<ModelLease> {
    const until = AbortSignal.any([options.signal, this.#lifetime.signal]);
    if (until.aborted) throw cancelled();
    const model = id === null ? await this.#default() : await this.#library.get(id);
    refuseOther(model, "generate");
    const loadable = await this.#loadable(model);
    const take = (onWaiting?: (progress: number | null) => void) => this.#loaded.take(loadable, until, onWaiting);
    const instance = await take(options.onWaiting);
    return leaseOf(instance, {
      summary: await this.#summary(model),
      client: options.client ?? owner,
      takeAgain: () => take(),
      giveBack: (held) => this.#loaded.giveBack(held),
      noteSpeed: (held, statistics) => {
        const noted = this.#speeds.note(held.plan, held.model.facts.loadMs, statistics);
        noted.catch((error: unknown) => this.#logger.warn("speed not noted", { model: held.id }, error));
      },
    });
  }

  async embedder(id: string | null, { signal }: { signal: AbortSignal }): Promise<Embedder> {
    const model = await this.#textModel(id, "embed");
    const names = [model.header?.name ?? "", model.header?.shape.architecture ?? "", model.id];
    const prefixes = this.#serving.current.embeddingPrefixes ?? embeddingPrefixesOf(names);
    return embedderOf(await this.#text(model), prefixes, signal);
  }

  async reranker(id: string | null, { signal }: { signal: AbortSignal }): Promise<Reranker> {
    return rerankerOf(await this.#text(await this.#textModel(id, "rank")), signal);
  }

  async forgetConversation(cacheOwner: string, user = owner.user): Promise<void> {
    await this.#engine.forget(cacheKeyOf(user, cacheOwner)).catch((error: unknown) => {
      this.#logger.warn("kv-cache-not-forgotten", {}, error);
    });
  }

  async activity(): Promise<ModelsActivity> {
    const models = (await this.#ordered()).map((model) => {
      const { state } = this.#loaded.condition(model.id);
      return activityOf({
        model: model.id,
        name: model.name,
        purpose: model.header?.purpose ?? "generate",
        state: model.isAbsent && state === "unloaded" ? "absent" : state,
        instance: this.#loaded.instance(model.id),
        statistics: this.#statisticsOf(model.id),
      });
    });
    return { since: this.#since, models };
  }

  watchActivity(signal: AbortSignal): AsyncGenerator<ModelsActivity, void> {
    const until = AbortSignal.any([signal, this.#lifetime.signal]);
    return this.#work.watch(
      () => this.activity(),
      until,
      (end) => this.#clock.sleep(activityPauseMs, end),
    );
  }

  settings(): Promise<ServingSettings> {
    return this.#serving.read();
  }

  async configure(changes: ServingChanges): Promise<ServingSettings> {
    const { defaultModel, embeddingModel, rerankModel } = changes;
    if (defaultModel) refuseOther(await this.#library.get(defaultModel), "generate");
    if (embeddingModel) refuseOther(await this.#library.get(embeddingModel), "embed");
    if (rerankModel) refuseOther(await this.#library.get(rerankModel), "rank");
    for (const [model, draft] of Object.entries(changes.draftModels ?? {})) {
      refuseNoDraft(await this.#library.get(draft), await this.#library.get(model));
    }
    const settings = await this.#serving.change(changes);
    this.#loaded.keepAliveChanged();
    this.#changed();
    return settings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort();
    await this.#loaded.dispose();
  }

  async #ordered(): Promise<LibraryModel[]> {
    return this.#defaultModel.order(await this.#library.list());
  }

  /** @throws CorralError NO_MODEL */
  async #default(): Promise<LibraryModel> {
    const [first] = await this.#ordered();
    if (first && !first.isAbsent && purposeOf(first) === "generate") return first;
    const message =
      "No model is installed, so questions cannot be answered; searching works. Add a GGUF file under Models.";
    throw new CorralError("NO_MODEL", message, {});
  }

  /** Null: the one in use here. */
  async #textModel(id: string | null, purpose: "embed" | "rank"): Promise<LibraryModel> {
    if (id !== null) {
      const model = await this.#library.get(id);
      refuseOther(model, purpose);
      return model;
    }
    const settings = await this.#serving.read();
    const chosen = purpose === "embed" ? settings.embeddingModel : settings.rerankModel;
    const able = (await this.#library.list()).filter((model) => !model.isAbsent && purposeOf(model) === purpose);
    const model = able.find((candidate) => candidate.id === chosen) ?? able[0];
    if (model) return model;
    const kind = purpose === "embed" ? "embedding" : "reranking";
    throw new CorralError("NO_MODEL", `No ${kind} model is installed. Add one as a GGUF file under Models.`, {});
  }

  async #text(model: LibraryModel): Promise<TextModel> {
    const loadable = await this.#loadable(model);
    return {
      statistics: this.#statisticsOf(model.id),
      clock: this.#clock,
      use: async (signal, work) => {
        const instance = await this.#loaded.take(loadable, AbortSignal.any([signal, this.#lifetime.signal]));
        try {
          return await work(instance);
        } finally {
          this.#loaded.giveBack(instance);
        }
      },
    };
  }

  async #loadable(model: LibraryModel): Promise<Loadable> {
    await this.#serving.read();
    const drafts = await this.#draftsFor(model);
    return {
      id: model.id,
      path: model.path,
      purpose: purposeOf(model),
      embedded: model.embedded,
      files: { ...(await this.#stateFiles()), draftPath: drafts.chosen?.path ?? null },
      look: (signal) => this.#fit.look(model, drafts, signal),
      reserve: (failed, signal) => this.#fit.reserve(model, drafts, failed, signal),
      settle: (loaded, reserved) => this.#fit.settle(loaded, reserved),
    };
  }

  async #draftsFor(model: LibraryModel): Promise<Drafts> {
    return draftsFor(model, await this.#library.list(), this.#serving.current.draftModels[model.id]);
  }

  async #stateFiles(): Promise<Pick<ServingFiles, "stateDirectory" | "stateBudgetBytes">> {
    const stateDirectory = this.#stateDirectory;
    return {
      stateDirectory,
      stateBudgetBytes: stateDirectory === null ? 0 : await this.#stateBudget(stateDirectory),
    };
  }

  async #stateBudget(directory: string): Promise<number> {
    const { stateBudgetBytes } = this.#serving.current;
    if (stateBudgetBytes !== null) return stateBudgetBytes;
    // What is kept there are people's conversations.
    const made = mkdir(directory, { recursive: true, mode: 0o700 });
    const disk = await made.then(() => statfs(directory)).catch(() => null);
    return disk ? Math.floor(Math.min(mostStateBytes, disk.bavail * disk.bsize * stateShare)) : 0;
  }

  async #summary(model: LibraryModel): Promise<ModelSummary> {
    const { state, loadProgress, plan, measured, lastError } = this.#loaded.condition(model.id);
    const { header } = model;
    return {
      id: model.id,
      name: model.name,
      file: model.path,
      fileBytes: model.fileBytes,
      ability: abilityOf(model),
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

  #statisticsOf(id: string): ModelStatistics {
    let statistics = this.#statistics.get(id);
    if (!statistics) this.#statistics.set(id, (statistics = new ModelStatistics()));
    return statistics;
  }

  #changed(): void {
    this.#models.tell();
    this.#work.tell();
  }
}

function purposeOf(model: LibraryModel): Loadable["purpose"] {
  return model.header?.purpose ?? "generate";
}

const abilities = {
  generate: "writes replies",
  embed: "turns texts into vectors for the search",
  rank: "ranks passages for the search",
};

/** @throws CorralError INVALID_INPUT for a model made for something else */
function refuseOther(model: LibraryModel, purpose: Loadable["purpose"]): void {
  // What a damaged or missing file is made for is not known; loading says what is wrong with it.
  if (model.header === null || purposeOf(model) === purpose) return;
  const reason = `${model.name} ${abilities[purposeOf(model)]}; this needs a model that ${abilities[purpose]}.`;
  throw new CorralError("INVALID_INPUT", `${reason} Choose another one.`, { field: "model", reason });
}
