import type { Token } from "node-llama-cpp";
import type { KeptStates } from "./kept-states.ts";
import type { ServedModel } from "./load-model.ts";
import { sharedPrefix } from "./shared-prefix.ts";
import type { Slot } from "./slot-pool.ts";

/**
 * Leaves in a borrowed slot what the prompt can build on, of its own owner only: what it holds already, what another slot
 * holds that has become too small, what was kept on disk; else nothing.
 * @param owner null: nothing is shared
 * @returns how many tokens came from disk
 */
export async function prepareSlot(
  { keptStates, pool }: Pick<ServedModel, "keptStates" | "pool">,
  slot: Slot,
  owner: string | null,
  prompt: readonly Token[],
): Promise<number> {
  if (owner === null || slot.owner !== owner) {
    if (owner !== null) keptStates?.touch(owner);
    await keptStates?.keep(slot);
    await clearSlot(slot);
  }
  slot.owner = owner;
  if (owner === null) return 0;
  // The last prompt token is always evaluated anew: its result is the first token of the reply.
  const reusable = prompt.slice(0, -1);
  const present = sharedPrefix(slot.sequence.contextTokens, reusable);
  for (const other of pool.all) {
    if (other === slot || other.owner !== owner || sharedPrefix(other.sequence.contextTokens, reusable) <= present)
      continue;
    if (keptStates) await pool.care(other, () => keepSlot(other, keptStates));
  }
  const isRestored = (await keptStates?.restore(slot, owner, reusable, present)) ?? false;
  await slot.sequence.adaptStateToTokens(reusable, false);
  slot.isKept = false;
  return isRestored ? slot.sequence.nextTokenIndex : 0;
}

/** Keeps on disk what a slot holds, and empties it if its conversation was deleted meanwhile. */
export async function keepSlot(slot: Slot, keptStates: KeptStates): Promise<void> {
  await keptStates.keep(slot);
  if (slot.isForgotten) await clearSlot(slot);
}

/** Empties a slot, for whoever comes next. */
export async function clearSlot(slot: Slot): Promise<void> {
  await slot.sequence.clearHistory();
  slot.owner = null;
  slot.isKept = true;
  slot.isForgotten = false;
}
