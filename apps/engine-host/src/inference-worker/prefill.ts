import { setImmediate } from "node:timers/promises";
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { Evaluation, EvaluationPace } from "./evaluation-pace.ts";

/**
 * Evaluates a prompt step by step, all but the last step, whose result is the first token of the reply.
 * @param onStep called after each step with how many tokens of the prompt are evaluated
 * @returns the prompt's tokens that are left for the last step; null when it was aborted
 */
export async function prefill(
  sequence: LlamaContextSequence,
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
    const startedAt = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(done, done + step));
    pace.note(step, performance.now() - startedAt);
    done += step;
    onStep(done);
    // Replies in progress are sampled now and ask for their next token: they come before the next step. Stops arrive, too.
    await setImmediate();
  }
}
