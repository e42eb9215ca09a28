import type { PlanSlots } from "@corral/protocol";

/** Contexts of the short slots that stand beside one long one, tokens, longest first. */
const shortContexts = [65_536, 32_768, 16_384, 8192];

/**
 * How to share one memory budget among users, best first: a full context for each; else one full context, and shorter ones
 * for the others: few conversations are long at the same time.
 * @param areEqual every slot has to be of the full size
 */
export function slotChoices(contextSize: number, users: number, areEqual: boolean): PlanSlots[][] {
  const full = [{ contextSize, count: users }];
  if (users === 1 || areEqual) return [full];
  const mixed = shortContexts
    .filter((short) => short < contextSize)
    .map((short) => [
      { contextSize, count: 1 },
      { contextSize: short, count: users - 1 },
    ]);
  return [full, ...mixed];
}
