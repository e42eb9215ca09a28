import type { ToolCall, ToolStep } from "@corral/protocol";

/**
 * The steps of a reply that is over: a call that still waited for the user did not run, and of one that ran nobody knows
 * what it did.
 */
export function endedSteps(steps: ToolStep[]): ToolStep[] {
  return steps.map((step) => ({ ...step, calls: step.calls.map(ended) }));
}

function ended(call: ToolCall): ToolCall {
  if (call.state === "pending-approval") return { ...call, state: "denied" };
  if (call.state === "running") return { ...call, state: "interrupted" };
  return call;
}
