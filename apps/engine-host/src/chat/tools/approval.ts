import type { AllowedTool, Message, ToolApproval, ToolDecision } from "@corral/protocol";
import type { Tool } from "./tool.ts";
import { searchDocuments } from "./search-documents.ts";

/**
 * Whether a call may run. A model does what it reads, and what it reads may come from a document or a tool: once such text is
 * in the prompt, what the user allowed earlier no longer speaks for a call that could do or send something.
 */
export function approvalOf(
  { server, harmless, definition, fingerprint }: Tool,
  { tainted, allowed }: { tainted: boolean; allowed: AllowedTool[] },
): ToolApproval {
  if (server === null) return "not-needed";
  if (tainted && !harmless) return "ask-each-time";
  const given = allowed.some((tool) => tool.name === definition.name && tool.fingerprint === fingerprint);
  return given ? "given" : "ask";
}

/** Whether words of these messages, as a later prompt sees them, come from a document or from a tool. */
export function isTainted(messages: Partial<Pick<Message, "retrieval" | "steps">>[]): boolean {
  return messages.some(
    ({ retrieval, steps = [] }) =>
      (retrieval?.included ?? 0) > 0 ||
      steps.some(({ calls }) =>
        calls.some(
          ({ result, server, name }) =>
            result !== null && (server !== null || name === searchDocuments.definition.name),
        ),
      ),
  );
}

/** The calls of one reply that wait for the user. */
export class PendingApprovals {
  readonly #waiting = new Map<string, (decision: ToolDecision) => void>();

  /** Waits until the user decides. Rejects with the signal's reason when it aborts. */
  async wait(callId: string, signal: AbortSignal): Promise<ToolDecision> {
    const { promise, resolve, reject } = Promise.withResolvers<ToolDecision>();
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    this.#waiting.set(callId, resolve);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(callId);
      signal.removeEventListener("abort", stop);
    }
  }

  /** @returns false when no such call waits */
  decide(callId: string, decision: ToolDecision): boolean {
    const resolve = this.#waiting.get(callId);
    resolve?.(decision);
    return resolve !== undefined;
  }
}
