import type { ConversationSummary } from "@corral/protocol";
import { expect, test } from "vitest";
import { groupByDay } from "./conversation-groups.ts";

const at = (id: string, date: Date): ConversationSummary => ({
  id,
  title: id,
  createdAt: date.toISOString(),
  updatedAt: date.toISOString(),
  snippet: null,
});

test("groups by local calendar days, not by hours passed", () => {
  const now = new Date(2026, 4, 20, 0, 30);
  const groups = groupByDay(
    [
      at("now", new Date(2026, 4, 20, 0, 10)),
      at("an hour ago, yesterday", new Date(2026, 4, 19, 23, 30)),
      at("early yesterday", new Date(2026, 4, 19, 0, 0)),
      at("six days ago", new Date(2026, 4, 14, 12)),
      at("seven days ago", new Date(2026, 4, 13, 0, 0)),
      at("eight days ago", new Date(2026, 4, 12, 23, 59)),
    ],
    now,
  );
  expect(groups.map(({ group, conversations }) => [group, conversations.length])).toEqual([
    ["today", 1],
    ["yesterday", 2],
    ["lastWeek", 2],
    ["older", 1],
  ]);
});
