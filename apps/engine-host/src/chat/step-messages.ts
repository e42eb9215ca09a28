import type { ToolCall, ToolStep } from "@corral/protocol";
import type { EngineMessage } from "../engines/engine.ts";

/** What the model is told in place of a result that had to make room. */
const leftOut = "(This result was left out to make room. Call the tool again if it is needed.)";

/**
 * The turns of a reply that called tools, as the model sees them again: its words, its calls, their results.
 * @param omitted so many of the oldest results are left out
 */
export function stepMessages(text: string, steps: ToolStep[], omitted = 0): EngineMessage[] {
  let start = 0;
  let results = 0;
  return steps.flatMap(({ textEnd, calls }): EngineMessage[] => {
    const words = text.slice(start, textEnd).trim();
    start = textEnd;
    return [
      {
        role: "assistant",
        text: words,
        toolCalls: calls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
      },
      ...calls.map((call): EngineMessage => ({
        role: "tool",
        toolCallId: call.id,
        text: results++ < omitted ? leftOut : resultOf(call),
      })),
    ];
  });
}

/** What the model is told a call came to. */
function resultOf({ state, result }: ToolCall): string {
  if (state === "denied") return "The user did not allow this call.";
  if (state === "done" || state === "failed") return result ?? "";
  return "The call was interrupted; what it did is not known.";
}
