import { z } from "zod";
import { ToolFailure, type Tool } from "./tool.ts";

const input = z.object({ timezone: z.string().max(100).optional() });

export const currentTime: Tool = {
  definition: {
    name: "current_time",
    description: "Tells the current date, weekday and time.",
    parameters: {
      type: "object",
      properties: {
        timezone: { type: "string", description: 'IANA name, for example "Europe/Berlin". Absent: where the user is.' },
      },
      additionalProperties: false,
    },
  },
  server: null,
  harmless: true,
  bringsText: false,
  fingerprint: "current_time",
  run: async (args, { now }) => ({ text: timeText(now, input.parse(args).timezone), failed: false }),
};

/** @throws ToolFailure for a time zone nobody knows */
export function timeText(now: Date, timezone?: string): string {
  const timeZone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    const local = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      dateStyle: "full",
      timeStyle: "long",
    }).format(now);
    return `${local}, time zone ${timeZone}. In UTC: ${now.toISOString()}.`;
  } catch {
    throw new ToolFailure(`There is no time zone "${timeZone}": use an IANA name such as "Europe/Berlin".`);
  }
}
