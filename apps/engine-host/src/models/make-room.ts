import type { LoadPlan } from "@corral/protocol";
import type { Reservation } from "../hardware/memory-ledger.ts";
import { isAsGood } from "../planning/as-good.ts";

/** A loaded model that another might replace. */
export interface Resident {
  readonly reservation: Reservation;
  readonly purpose: "generate" | "embed" | "rank";
  /** How many use it. */
  readonly uses: number;
  /** When it was last used, ms. */
  readonly lastUse: number;
  /** What loading it again would take, ms. */
  readonly loadMs: number;
}

/** What has to happen before a load. */
export interface Room<Other extends Resident> {
  /** Unused models to unload, least useful first. */
  unload: Other[];
  /** Models in use stand in its way besides. */
  mustWait: boolean;
}

/**
 * A model for the search takes the place of one that converses only when that was not used for so long, ms: else a conversation
 * and the search of its own documents would unload each other with every question. The search does without vectors meanwhile.
 */
const conversationMs = 300_000;

/** How the model would be loaded with these gone. */
export type PlanWithout = (gone: readonly Reservation[]) => LoadPlan;

/**
 * Which unused models give way. The wanted one is to load as well as it could alone; what need not go for that stays. Those
 * go first that were not used for longest in proportion to what loading them again takes: of two equally old the one that is
 * back sooner.
 * @param isModest the wanted model, one for the search, takes what is left: any plan that fits will do, nothing in use is
 *   waited for, and no conversation disturbed
 */
export function roomFor<Other extends Resident>(
  planWithout: PlanWithout,
  others: readonly Other[],
  now: number,
  isModest: boolean,
): Room<Other> {
  const without = (gone: readonly Other[]) => planWithout(gone.map(({ reservation }) => reservation));
  const best = without(others);
  const suffices = (plan: LoadPlan) => (isModest ? plan.fits : isAsGood(plan, best));
  // What does not fit even alone makes nobody go.
  if (!best.fits || suffices(without([]))) return { unload: [], mustWait: false };
  const mayGo = ({ uses, purpose, lastUse }: Other) =>
    uses === 0 && !(isModest && purpose === "generate" && now - lastUse < conversationMs);
  const unused = others.filter(mayGo).toSorted((a, b) => usefulness(a, now) - usefulness(b, now));
  const mustWait = !suffices(without(unused));
  if (mustWait) return { unload: [], mustWait: !isModest };
  const going: Other[] = [];
  for (const other of unused) {
    going.push(other);
    if (suffices(without(going))) break;
  }
  // The last one made the difference; of those before it some may have been no help, the most useful are spared first.
  for (const other of going.slice(0, -1).toReversed()) {
    const rest = going.filter((one) => one !== other);
    if (suffices(without(rest))) going.splice(going.indexOf(other), 1);
  }
  return { unload: going, mustWait: false };
}

function usefulness({ lastUse, loadMs }: Resident, now: number): number {
  return Math.max(1, loadMs) / Math.max(1, now - lastUse);
}
