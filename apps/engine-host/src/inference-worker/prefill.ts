import { setImmediate } from "node:timers/promises";
import type { Token } from "node-llama-cpp";
import { readingPriority } from "./batch-gathering.ts";
import type { Evaluation, EvaluationPace } from "./evaluation-pace.ts";
import type { Slot } from "./slot-pool.ts";

const reading = { evaluationPriority: readingPriority };

/**
 * Evaluates a prompt step by step, all but the last step, whose result is the first token of the reply.
 * @param onStep called after each step with how many tokens of the prompt are evaluated
 * @returns the prompt's tokens that are left for the last step; null when it was aborted
 */
export async function prefill(
  { sequence, gathering }: Pick<Slot, "sequence" | "gathering">,
  prompt: readonly Token[],
  { pace, evaluation, signal }: { pace: EvaluationPace; evaluation: Evaluation; signal: AbortSignal },
  onStep: (done: number) => void,
): Promise<Token[] | null> {
  let done = sequence.nextTokenIndex;
  for (;;) {
    if (signal.aborted) return null;
    evaluation.left = prompt.length - done;
    const step = pace.nextStep(evaluation);
    if (step >= evaluation.left) return prompt.slice(done);
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(done, done + step), reading);
    pace.note(step, pace.batchDone(gathering.startedAt));
    done += step;
    onStep(done);
    // Replies in progress are sampled now and ask for their next token: they come before the next step. Stops arrive, too.
    await setImmediate();
    await pace.othersTurn(evaluation);
  }
}
