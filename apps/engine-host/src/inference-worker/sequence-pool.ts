import type { LlamaContextSequence, Token } from "node-llama-cpp";

/** One sequence of the context and whose words its KV cache holds. */
export interface Slot {
  readonly sequence: LlamaContextSequence;
  /** Null: empty, or of a request that shares with nobody. */
  owner: string | null;
  /** Grows with each use; the least recently used slot is given away first. */
  lastUse: number;
}

interface Waiting {
  owner: string | null;
  prompt: readonly Token[];
  take: (slot: Slot) => void;
}

/**
 * Lends sequences, one request each, first come first served. A request gets the free sequence that already holds most
 * of its prompt, of its own owner only; any other is emptied before it is used, so that nothing carries over.
 */
export class SequencePool {
  readonly #free: Slot[];
  #waiting: Waiting[] = [];
  #uses = 0;

  constructor(sequences: readonly LlamaContextSequence[]) {
    this.#free = sequences.map((sequence) => ({ sequence, owner: null, lastUse: 0 }));
  }

  /** @throws the signal's reason when it aborts while waiting */
  async borrow(owner: string | null, prompt: readonly Token[], signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const slot = this.#free.length > 0 ? this.#choose(owner, prompt) : await this.#wait(owner, prompt, signal);
    slot.lastUse = ++this.#uses;
    return slot;
  }

  giveBack(slot: Slot): void {
    this.#free.push(slot);
    const next = this.#waiting.shift();
    next?.take(this.#choose(next.owner, next.prompt));
  }

  #wait(owner: string | null, prompt: readonly Token[], signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        owner,
        prompt,
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
  #choose(owner: string | null, prompt: readonly Token[]): Slot {
    const rank = (slot: Slot) => {
      const shared = owner !== null && slot.owner === owner ? sharedPrefix(slot.sequence.contextTokens, prompt) : 0;
      return { slot, shared, used: slot.owner === null ? 0 : slot.lastUse };
    };
    const [best] = this.#free.map(rank).toSorted((a, b) => b.shared - a.shared || a.used - b.used);
    if (!best) throw new Error("No sequence is free.");
    this.#free.splice(this.#free.indexOf(best.slot), 1);
    return best.slot;
  }
}

/** How many tokens two token lists have in common at their beginning. */
function sharedPrefix(a: readonly Token[], b: readonly Token[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
