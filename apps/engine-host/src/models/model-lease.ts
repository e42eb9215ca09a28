import type { ModelSummary } from "@corral/protocol";
import type { GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import type { Instance } from "./model-life.ts";
import type { ModelLease, RequestClient, ScheduledPart } from "./models.ts";
import { PlaceLost } from "./scheduler.ts";

export interface LeaseOptions {
  summary: ModelSummary;
  client: RequestClient;
  /** The model anew, after its engine died. @throws CorralError what stops a load */
  takeAgain: () => Promise<Instance>;
  giveBack: (instance: Instance) => void;
  noteSpeed: (instance: Instance, statistics: GenerationStatistics) => void;
}

/** Whose KV cache it is: never one of two users, whatever they call their conversations. */
export function cacheKeyOf(user: string, cacheOwner: string): string {
  return JSON.stringify([user, cacheOwner]);
}

/** A lease on a model that generates. A request that only waited when the engine died waits again at its successor. */
export function leaseOf(taken: Instance, options: LeaseOptions): ModelLease {
  const { client } = options;
  let held = taken;
  let isHeld = true;

  async function* generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<ScheduledPart, void> {
    const { cacheOwner } = request;
    const own = cacheOwner === undefined ? request : { ...request, cacheOwner: cacheKeyOf(client.user, cacheOwner) };
    for (;;) {
      const instance = held;
      try {
        yield* instance.scheduler.generate(own, client, signal);
        return;
      } catch (error) {
        if (!(error instanceof PlaceLost)) throw error;
      }
      const next = await options.takeAgain();
      if (held === instance && isHeld) {
        options.giveBack(held);
        held = next;
      } else {
        // Another request of this lease was here first, or the lease is over.
        options.giveBack(next);
      }
    }
  }

  return {
    summary: options.summary,
    get model() {
      return held.model;
    },
    generate,
    noteSpeed: (statistics) => options.noteSpeed(held, statistics),
    [Symbol.asyncDispose]: () => {
      if (isHeld) options.giveBack(held);
      isHeld = false;
      return Promise.resolve();
    },
  };
}
