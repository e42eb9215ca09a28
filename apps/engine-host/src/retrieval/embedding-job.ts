import { setTimeout as delay } from "node:timers/promises";
import { CorralError, type EmbeddingState, type ErrorReport } from "@corral/protocol";
import type { LogFields } from "../logger.ts";
import { ChangeFeed } from "../models/change-feed.ts";
import type { Embedder, Models } from "../models/models.ts";
import type { Store } from "../store/store.ts";
import { AnsweringModel } from "./answering-model.ts";
import { ChunkEmbedder } from "./chunk-embedder.ts";
import { InstalledModels } from "./installed-models.ts";

/** How long to wait after a failure, ms: first, and at most. */
const RETRY_MS = [2_000, 60_000] as const;
/** Time over which the speed is averaged, ms. */
const SPEED_WINDOW_MS = 10_000;
const pausedKey = "retrieval.embedding-paused";

/**
 * Gives every chunk its vector, in the background: whatever lacks one, by rising key, so that after a crash or a restart it
 * goes on where it was. With another embedding model everything is embedded anew while the earlier vectors answer; when all
 * is done they are dropped.
 */
export interface EmbeddingJob extends AsyncDisposable {
  /** Tells that there may be new chunks, or other settings of models. */
  wake(): void;
  /** The state now and after changes, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<EmbeddingState>;
  /** Stops at once (the batch in hand is embedded again later), or goes on. Remembered over restarts. */
  pause(paused: boolean): Promise<EmbeddingState>;
}

export interface EmbeddingJobOptions {
  store: Pick<Store, "vectors" | "settings">;
  models: Pick<Models, "watch" | "settings" | "embedder">;
  /** For the host's log. Gets no text of documents. */
  log?: (event: string, fields: LogFields, error?: unknown) => void;
  /** Only tests replace it. */
  retryMs?: readonly [first: number, most: number];
}

export function createEmbeddingJob(options: EmbeddingJobOptions): EmbeddingJob {
  const { store, models, log = () => {}, retryMs = RETRY_MS } = options;
  const lifetime = new AbortController();
  const answering = new AnsweringModel(store);
  const feed = new ChangeFeed();
  let wakeUp = Promise.withResolvers<void>();
  /** Aborts what is being embedded when it is paused, or when models come and go. */
  let round = new AbortController();
  const wake = () => wakeUp.resolve();
  const interrupt = () => {
    round.abort();
    wake();
  };
  const installed = new InstalledModels(models, interrupt);
  let isPaused = false;
  let isEmbedding = false;
  let error: ErrorReport | null = null;
  let model: string | null = null;
  let chunkEmbedder = new ChunkEmbedder(store);
  let finished: { at: number; chunks: number }[] = [];

  async function currentState(): Promise<EmbeddingState> {
    const { chunks, models: kept } = await store.vectors.status();
    const chosen = await answering.get();
    const answers = kept.find((one) => one.model === chosen);
    const isOff = (await installed.embedders()).length === 0;
    const busy = isEmbedding ? "embedding" : "ready";
    return {
      state: isOff ? "off" : isPaused ? "paused" : error ? "waiting" : busy,
      model: isOff ? null : model,
      embedded: kept.find((one) => one.model === model)?.vectors ?? 0,
      chunks,
      shortened: chunkEmbedder.shortened,
      failed: chunkEmbedder.failed.size,
      chunksPerSecond: isEmbedding ? speedOf(finished) : null,
      error,
      answering: answers?.model ?? null,
      index: answers ? indexOf(answers) : null,
    };
  }

  /** Embeds all there is. */
  async function embedAll(embedder: Embedder, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const chunks = await chunkEmbedder.next(embedder, signal);
      if (chunks === null) return;
      error = null;
      const now = performance.now();
      finished = [...finished.filter(({ at }) => now - at < SPEED_WINDOW_MS), { at: now, chunks }];
      feed.tell();
    }
  }

  /** Lets the vectors of this model answer if they are all there, or if no others can; in the first case others go. */
  async function settle(id: string, isWhole: boolean): Promise<void> {
    const { models: kept } = await store.vectors.status();
    const embedders = await installed.embedders();
    const chosen = await answering.get();
    const canAnswer = kept.some((one) => one.model === chosen && one.vectors > 0 && embedders.includes(one.model));
    if (isWhole || !canAnswer) await answering.set(id);
    if (!isWhole) return;
    for (const { model: other, vectors } of kept) {
      if (other === id) continue;
      await store.vectors.dropModel(other);
      log("vectors dropped", { model: other, vectors });
    }
  }

  /** Whether there is nothing to embed and no choice between models, so that none need be loaded to find that out. */
  async function isSettled(embedders: readonly string[]): Promise<boolean> {
    const { chunks, models: kept } = await store.vectors.status();
    if (chunks === 0 && kept.length === 0) return true;
    const [only] = kept;
    if (kept.length !== 1 || embedders.length !== 1 || only!.model !== embedders[0]) return false;
    if (only!.vectors !== chunks || only!.model !== (await answering.get())) return false;
    model = only!.model;
    return true;
  }

  async function runOnce(signal: AbortSignal): Promise<void> {
    const embedders = await installed.embedders();
    if (isPaused || embedders.length === 0 || (await isSettled(embedders))) return;
    isEmbedding = true;
    feed.tell();
    await using embedder = await models.embedder(null, { signal });
    if (model !== embedder.id) {
      model = embedder.id;
      chunkEmbedder = new ChunkEmbedder(store);
    }
    await settle(embedder.id, false);
    await embedAll(embedder, signal);
    await settle(embedder.id, true);
  }

  async function run(): Promise<void> {
    isPaused = (await store.settings.get(pausedKey)) === "yes";
    let retryAfter: number = retryMs[0];
    const ended = Promise.withResolvers<void>();
    lifetime.signal.addEventListener("abort", () => ended.resolve(), { once: true });
    while (!lifetime.signal.aborted) {
      wakeUp = Promise.withResolvers();
      round = new AbortController();
      try {
        await runOnce(AbortSignal.any([lifetime.signal, round.signal]));
        error = null;
        retryAfter = retryMs[0];
      } catch (thrown) {
        if (!lifetime.signal.aborted && !round.signal.aborted) {
          error = CorralError.reportOf(thrown);
          log("embedding failed", { model, retryAfterMs: retryAfter }, thrown);
        }
      }
      isEmbedding = false;
      finished = [];
      feed.tell();
      const rest = [wakeUp.promise, ended.promise];
      if (!error) {
        await Promise.race(rest);
        continue;
      }
      await Promise.race([...rest, delay(retryAfter, undefined, { ref: false })]);
      retryAfter = Math.min(2 * retryAfter, retryMs[1]);
    }
  }

  const done = run().catch((thrown: unknown) => {
    if (!lifetime.signal.aborted) log("embedding stopped", { model }, thrown);
  });

  return {
    wake,
    watch: (signal) => feed.watch(currentState, AbortSignal.any([signal, lifetime.signal])),
    async pause(paused) {
      await store.settings.set(pausedKey, paused ? "yes" : "no");
      isPaused = paused;
      interrupt();
      feed.tell();
      return currentState();
    },
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      installed[Symbol.dispose]();
      await done;
    },
  };
}

/** Chunks per second from the first batch's end to the last's; null: too few to tell. */
function speedOf(finished: { at: number; chunks: number }[]): number | null {
  const [first, ...others] = finished;
  if (!first || others.length === 0) return null;
  const chunks = others.reduce((sum, batch) => sum + batch.chunks, 0);
  return (1000 * chunks) / Math.max(1, others.at(-1)!.at - first.at);
}

function indexOf({ mode, dimensions, candidates, recall }: NonNullable<EmbeddingState["index"]>) {
  return { mode, dimensions, candidates, recall };
}
