import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { BatchGathering } from "./batch-gathering.ts";
import type { Guessing } from "./guessing.ts";
import { sharedPrefix } from "./shared-prefix.ts";

/** One sequence of a context and whose words its KV cache holds. */
export interface Slot {
  readonly sequence: LlamaContextSequence;
  readonly guessing: Guessing;
  /** Of its context. */
  readonly gathering: BatchGathering;
  /** Tokens it can hold, prompt and reply together. */
  readonly contextSize: number;
  /** Null: empty, or of a request that shares with nobody. */
  owner: string | null;
  /** Grows with each use; the least recently used slot is given away first. */
  lastUse: number;
  /** What it holds is kept on disk as well, or not worth it. */
  isKept: boolean;
  /** Its owner's conversation was deleted: whoever uses it just now leaves nothing behind. */
  isForgotten: boolean;
}

/** A slot of a sequence, empty. */
export function emptySlot(of: Pick<Slot, "sequence" | "guessing" | "gathering" | "contextSize">): Slot {
  return { ...of, owner: null, lastUse: 0, isKept: true, isForgotten: false };
}

/** What a request asks of its slot. */
export interface SlotNeed {
  owner: string | null;
  prompt: readonly Token[];
  /** Prompt and room for the reply. */
  tokens: number;
}

interface Waiting {
  need: SlotNeed;
  take: (slot: Slot) => void;
}

/**
 * Lends slots, one request each. A request gets the free slot that already holds most of its prompt, of its own owner only;
 * else the smallest that holds prompt and reply. Who waits is served in the order of coming, but nobody waits for a
 * larger slot's sake while one that fits is free.
 */
export class SlotPool {
  readonly #all: readonly Slot[];
  readonly #free = new Set<Slot>();
  /** Taken by nobody's request, for a moment. */
  readonly #inCare = new Set<Slot>();
  #waiting: Waiting[] = [];
  #uses = 0;

  constructor(slots: readonly Slot[]) {
    this.#all = slots;
    for (const slot of slots) this.#free.add(slot);
  }

  get all(): readonly Slot[] {
    return this.#all;
  }

  /** Nobody's request is being answered. */
  get isIdle(): boolean {
    return this.#free.size + this.#inCare.size === this.#all.length;
  }

  /**
   * @param need must fit the largest slot
   * @throws the signal's reason when it aborts while waiting
   */
  async borrow(need: SlotNeed, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const slot = this.#choose(need) ?? (await this.#wait(need, signal));
    slot.lastUse = ++this.#uses;
    return slot;
  }

  /** Does something with a free slot, which its owner's next request waits for. @returns false when it is in use */
  async care(slot: Slot, work: (slot: Slot) => Promise<void>): Promise<boolean> {
    if (!this.#free.delete(slot)) return false;
    this.#inCare.add(slot);
    try {
      await work(slot);
    } finally {
      this.giveBack(slot);
    }
    return true;
  }

  giveBack(slot: Slot): void {
    this.#inCare.delete(slot);
    this.#free.add(slot);
    for (const waiting of this.#waiting) {
      const chosen = this.#choose(waiting.need);
      if (!chosen) continue;
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.take(chosen);
      return;
    }
  }

  #wait(need: SlotNeed, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        need,
        take: (slot) => {
          signal.removeEventListener("abort", leave);
          resolve(slot);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** Takes the best slot out of the free ones. */
  #choose({ owner, prompt, tokens }: SlotNeed): Slot | null {
    const fits = ({ contextSize }: Slot) => contextSize >= tokens;
    if (owner !== null && [...this.#inCare].some((slot) => slot.owner === owner && fits(slot))) return null;
    const rank = (slot: Slot) => {
      const shared = owner !== null && slot.owner === owner ? sharedPrefix(slot.sequence.contextTokens, prompt) : 0;
      return { slot, shared, used: slot.owner === null ? 0 : slot.lastUse };
    };
    const [best] = [...this.#free]
      .filter(fits)
      .map(rank)
      .toSorted((a, b) => b.shared - a.shared || a.slot.contextSize - b.slot.contextSize || a.used - b.used);
    if (!best) return null;
    this.#free.delete(best.slot);
    return best.slot;
  }
}
