import type { ConversationSummary } from "@corral/protocol";

export type DayGroup = "today" | "yesterday" | "lastWeek" | "older";

const DAY_MS = 86_400_000;

/** Sorts conversations into the days they were last used on, by the local calendar; keeps their order. No empty groups. */
export function groupByDay(
  conversations: readonly ConversationSummary[],
  now: Date,
): { group: DayGroup; conversations: ConversationSummary[] }[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups = Map.groupBy(conversations, ({ updatedAt }): DayGroup => {
    const at = new Date(updatedAt).getTime();
    if (at >= midnight) return "today";
    // Half a day before midnight lies in the day before it even when the clocks change in between.
    if (at >= startOfDay(midnight - DAY_MS / 2)) return "yesterday";
    return at >= startOfDay(midnight - 6.5 * DAY_MS) ? "lastWeek" : "older";
  });
  return [...groups].map(([group, members]) => ({ group, conversations: members }));
}

function startOfDay(time: number): number {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
