import type { ErrorReport, ModelActivity, ModelsActivity } from "@corral/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Connection } from "../connection/connection.ts";
import { reportOf } from "../connection/error-report.ts";
import { readStream } from "../connection/read-stream.ts";
import { whileWatched } from "./while-watched.ts";

/** One second of a model. */
export interface ActivitySample {
  /** Unix time, seconds. */
  readonly at: number;
  /** Tokens per second in this second, of all its replies together. */
  readonly written: number;
  readonly read: number;
  readonly running: number;
  readonly queued: number;
}

export interface ActivityState {
  /** What the models do, while somebody watches. */
  readonly activity: ModelsActivity | null;
  /** The last seconds by model, oldest first. */
  readonly samples: Readonly<Record<string, readonly ActivitySample[]>>;
  readonly error: ErrorReport | null;
  /** @returns the function that stops it */
  watch(): () => void;
}

const SAMPLE_MS = 1000;
/** How far back the charts go, samples. */
const KEPT = 120;

/** What the host's models do from second to second. */
export function createActivityStore(connection: Connection): StoreApi<ActivityState> {
  const { models } = connection.client;
  const store = createStore<ActivityState>()((set) => ({
    activity: null,
    samples: {},
    error: null,
    watch: () => {
      let before: { at: number; models: Map<string, ModelActivity> } | null = null;
      const timer = setInterval(() => {
        const { activity, samples } = store.getState();
        if (!activity) return;
        const at = Date.now() / 1000;
        const seen = before;
        before = { at, models: new Map(activity.models.map((model) => [model.model, model])) };
        if (!seen) return;
        const entries = activity.models.map((model) => {
          const sample = sampleOf(model, seen.models.get(model.model), at, at - seen.at);
          return [model.model, [...(samples[model.model] ?? []), sample].slice(-KEPT)] as const;
        });
        set({ samples: Object.fromEntries(entries) });
      }, SAMPLE_MS);
      const stop = whileWatched(connection, follow);
      return () => {
        clearInterval(timer);
        stop();
        set({ activity: null, samples: {} });
      };
    },
  }));

  async function follow(signal: AbortSignal): Promise<void> {
    try {
      await readStream(
        (stop) => models.activity(undefined, { signal: stop }),
        signal,
        (activity) => store.setState({ activity, error: null }),
      );
    } catch (error) {
      store.setState({ error: reportOf(error) });
    }
  }
  return store;
}

/** What changed since `before`, per second. @param seconds between the two */
function sampleOf(now: ModelActivity, before: ModelActivity | undefined, at: number, seconds: number): ActivitySample {
  const rate = (counter: "completionTokens" | "promptTokens" | "cachedTokens") =>
    Math.max(0, now.counters[counter] - (before?.counters[counter] ?? now.counters[counter])) / seconds;
  return {
    at,
    written: rate("completionTokens"),
    read: Math.max(0, rate("promptTokens") - rate("cachedTokens")),
    running: now.running,
    queued: now.queued,
  };
}
