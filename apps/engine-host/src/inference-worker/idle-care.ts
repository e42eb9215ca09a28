import type { KeptStates } from "./kept-states.ts";
import { clearSlot, keepSlot } from "./prepare-slot.ts";
import type { SlotPool } from "./slot-pool.ts";

/** Without a request for this long, ms, there is time to write KV caches to disk: nobody waits for the compute thread. */
const idleMs = 3000;

/** Keeps on disk what the slots hold, when nobody asks anything and before the worker ends. */
export class IdleCare {
  readonly #pool: SlotPool;
  readonly #keptStates: KeptStates;
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: SlotPool, keptStates: KeptStates) {
    this.#pool = pool;
    this.#keptStates = keptStates;
  }

  /** A request was answered: looks after the slots when no other comes. */
  plan(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.keepAll(() => this.#pool.isIdle), idleMs);
    this.#timer.unref();
  }

  /** Keeps all slots that are free. @param goesOn asked before each */
  async keepAll(goesOn = () => true): Promise<void> {
    for (const slot of this.#pool.all) {
      if (!goesOn()) return;
      if (!slot.isKept) await this.#pool.care(slot, () => keepSlot(slot, this.#keptStates));
    }
  }
}

/** Empties the slots of an owner; one in use is emptied after its reply. */
export async function forgetOwner(pool: SlotPool, owner: string): Promise<void> {
  for (const slot of pool.all) {
    if (slot.owner !== owner) continue;
    slot.isForgotten = true;
    await pool.care(slot, clearSlot);
  }
}
