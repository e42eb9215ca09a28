import { abortable, type Clock } from "./abortable.ts";
import type { Loadable } from "./loaded-models.ts";
import { roomFor } from "./make-room.ts";
import type { Instance } from "./model-life.ts";

/** A model in use that stands in another's way takes nobody new after so long, ms: its users must not starve the other's. */
const patienceMs = 30_000;

export interface RoomMakerOptions {
  clock: Clock;
  /** The loaded models that need not stay for this one to load. */
  replaceable: (id: string) => Instance[];
  close: (instance: Instance) => Promise<void>;
  /** Settles the next time a model becomes unused or goes. */
  released: () => Promise<void>;
}

/** Unloads what has to give way to a load, and waits for what is in use where there is no other way. */
export class RoomMaker {
  readonly #options: RoomMakerOptions;

  constructor(options: RoomMakerOptions) {
    this.#options = options;
  }

  /** @throws CorralError CANCELLED, and what is wrong with the model's file */
  async makeRoomFor(wanted: Loadable, signal: AbortSignal): Promise<void> {
    const { clock, replaceable } = this.#options;
    let patienceEnds = clock.now() + patienceMs;
    for (;;) {
      for (const { closing } of replaceable(wanted.id)) if (closing) await abortable(closing, signal);
      const planWithout = await wanted.look(signal);
      const others = replaceable(wanted.id).filter(({ closing }) => !closing);
      const clear = async () => {
        const room = roomFor(planWithout, others, clock.now(), wanted.purpose !== "generate");
        // In the same moment as the decision, so that none of them is taken before it goes.
        await Promise.all(room.unload.map((instance) => this.#options.close(instance)));
        return !room.mustWait;
      };
      if (await clear()) return;
      // A model that embeds or ranks is in use for a moment at a time, if for the next again at once.
      const isReplying = others.some(({ uses, purpose }) => uses > 0 && purpose === "generate");
      const patience = isReplying ? patienceEnds - clock.now() : 0;
      if (patience > 0) {
        await this.#wait(patience, signal);
        continue;
      }
      if (await this.#drained(others, signal, clear)) return;
      patienceEnds = clock.now() + patienceMs;
    }
  }

  /** Until a model was released, or so long. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const later = this.#options.clock.sleep(Math.max(0, ms), end.signal).catch(() => undefined);
    try {
      await abortable(Promise.race([this.#options.released(), later]), signal);
    } finally {
      end.abort();
    }
  }

  /**
   * Lets these take nobody new until they are unused, and then does `work` before anybody has them again. Not for ever, as
   * somebody might need one of them while holding another.
   */
  async #drained(instances: readonly Instance[], signal: AbortSignal, work: () => Promise<boolean>): Promise<boolean> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const instance of instances) instance.draining = promise;
    try {
      const ends = clock.now() + patienceMs;
      while (clock.now() < ends && instances.some(({ uses }) => uses > 0)) await this.#wait(ends - clock.now(), signal);
      return await work();
    } finally {
      for (const instance of instances) instance.draining = null;
      resolve();
    }
  }
}
