import { CorralError } from "@corral/protocol";
import type { SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { EnginePart, GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import { renderPrompt } from "./chat-prompt.ts";
import type { Evaluation } from "./evaluation-pace.ts";
import type { ServedModel } from "./load-model.ts";
import type { GuessingKind } from "./guessing.ts";
import { prefill } from "./prefill.ts";
import { clearSlot, prepareSlot } from "./prepare-slot.ts";
import { Reply, type FinishReason } from "./reply.ts";
import { samplingOf } from "./sampling.ts";
import type { Slot } from "./slot-pool.ts";

/** A shorter reply tells little about how fast replies are written. */
const fewestTokensToCompare = 12;

/**
 * Generates one reply and emits its parts, `finish` last. Aborting takes effect within a step of the prompt or a token of
 * the reply.
 * @throws CorralError CONTEXT_OVERFLOW, INVALID_INPUT
 */
export async function generate(
  served: ServedModel,
  request: GenerateRequest,
  signal: AbortSignal,
  emit: (part: EnginePart) => void,
): Promise<void> {
  const statistics: GenerationStatistics = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    prefillMs: 0,
    decodeMs: 0,
  };
  const prompt = renderPrompt(served.model, served.format, request);
  statistics.promptTokens = prompt.tokens.length;
  refuseOverflow(prompt.tokens.length, request.maxTokens, served.facts.contextSize);
  const reply = new Reply(served, request, prompt, emit);
  const sampling = samplingOf(served, request, reply);
  const finish = (reason: FinishReason) => {
    emit({ type: "finish", reason, ...(reply.stopText === null ? {} : { stopText: reply.stopText }), statistics });
  };

  const owner = request.cacheOwner ?? null;
  const wanted = guessingOf(request, reply, served.pool);
  let slot: Slot;
  try {
    const tokens = prompt.tokens.length + request.maxTokens;
    slot = await served.pool.borrow({ owner, prompt: prompt.tokens, tokens }, signal);
  } catch (error) {
    if (signal.aborted) return finish("cancelled");
    throw error;
  }
  const evaluation = served.pace.begin(prompt.tokens.length);
  let isClean = false;
  try {
    const restored = await prepareSlot(served, slot, owner, prompt.tokens);
    if (restored > 0) statistics.restoredTokens = restored;
    const guessing = wanted && served.guesses.choose(wanted);
    slot.guessing.use(guessing, prompt.tokens);
    const withProbabilities = request.logprobs !== undefined;
    const run = {
      ...{ served, slot, evaluation, prompt: prompt.tokens, reply, sampling, withProbabilities, wanted, guessing },
      ...{ signal, emit, statistics },
    };
    const reason = await evaluate(run);
    isClean = true;
    finish(reason);
  } finally {
    slot.guessing.use(null, []);
    served.pace.end(evaluation);
    if (!isClean) reply.abandon();
    // After a failure nobody knows what the KV cache holds.
    if (!isClean || owner === null || slot.isForgotten) await clearSlot(slot);
    served.pool.giveBack(slot);
    served.idleCare?.plan();
  }
}

/** The last token written is never evaluated, so prompt and reply may fill the context exactly. */
function refuseOverflow(promptTokens: number, replyTokens: number, contextTokens: number): void {
  if (promptTokens + replyTokens <= contextTokens) return;
  const message = `The prompt (${promptTokens} tokens) and room for the reply (${replyTokens}) exceed the model's context of ${contextTokens} tokens. Shorten the question, attach fewer sources or ask for a shorter reply.`;
  throw new CorralError("CONTEXT_OVERFLOW", message, { promptTokens, replyTokens, contextTokens });
}

/** How this reply's tokens could be guessed ahead; null: they depend on each other in ways a guess does not see. */
function guessingOf(request: GenerateRequest, reply: Reply, pool: ServedModel["pool"]): GuessingKind | null {
  const { repeatPenalty, frequencyPenalty = 0, presencePenalty = 0, logprobs } = request;
  if (repeatPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0 || logprobs !== undefined) return null;
  if (reply.grammar.kind !== "text" || reply.grammar.tools.length > 0) return null;
  return request.speculation ?? (pool.all.some(({ guessing }) => guessing.hasDraft) ? "draft" : null);
}

/** A reply being made. */
interface Run {
  served: ServedModel;
  slot: Slot;
  evaluation: Evaluation;
  prompt: readonly Token[];
  reply: Reply;
  sampling: SequenceEvaluateOptions;
  withProbabilities: boolean;
  /** How tokens could be guessed ahead, and how they are. */
  wanted: GuessingKind | null;
  guessing: GuessingKind | null;
  signal: AbortSignal;
  emit: (part: EnginePart) => void;
  statistics: GenerationStatistics;
}

async function evaluate(run: Run): Promise<FinishReason> {
  const { served, slot, evaluation, prompt, signal, statistics } = run;
  const total = prompt.length;
  const progress = (done: number) => {
    served.evaluations++;
    run.emit({ type: "prefill-progress", done, total });
  };
  const startedAt = performance.now();
  statistics.cachedTokens = slot.sequence.nextTokenIndex;
  progress(statistics.cachedTokens);
  const { pace } = served;
  const lastStep = await prefill(slot, prompt, { pace, evaluation, signal }, progress);
  if (lastStep === null) return "cancelled";
  try {
    return await write(run, lastStep, () => {
      evaluation.left = 0;
      slot.gathering.begin();
      statistics.prefillMs = performance.now() - startedAt;
      progress(total);
    });
  } finally {
    if (evaluation.left === 0) slot.gathering.end();
  }
}

/** @param onFirst called before the first token is handed on */
async function write(run: Run, lastStep: Token[], onFirst: () => void): Promise<FinishReason> {
  const { served, slot, reply, signal, statistics } = run;
  const guessedBefore = slot.sequence.tokenPredictions;
  let firstAt = 0;
  let wasAlone = true;
  let reason: FinishReason | null = null;
  // The type of what is yielded follows from this; without, there are none.
  const metadata = { probabilities: run.withProbabilities as true };
  for await (const { token, probabilities } of slot.sequence.evaluateWithMetadata(lastStep, metadata, run.sampling)) {
    if (firstAt === 0) {
      firstAt = performance.now();
      onFirst();
    } else {
      served.evaluations++;
    }
    served.pace.wrote(slot.gathering.startedAt);
    wasAlone &&= served.pace.isAlone;
    reason = signal.aborted ? "cancelled" : reply.push(token, run.withProbabilities ? probabilities : undefined);
    if (reason !== null) break;
    const completed = reply.complete();
    if (completed === null) continue;
    reason = "stop";
    statistics.speculation = { kind: "grammar", accepted: completed, rejected: 0 };
    break;
  }
  statistics.completionTokens = reply.tokens.length;
  statistics.decodeMs = firstAt === 0 ? 0 : performance.now() - firstAt;
  if (run.guessing !== null) {
    const { used, refuted } = slot.sequence.tokenPredictions;
    const [accepted, rejected] = [used - guessedBefore.used, refuted - guessedBefore.refuted];
    statistics.speculation = { kind: run.guessing, accepted, rejected };
  }
  if (run.wanted !== null && wasAlone && statistics.completionTokens >= fewestTokensToCompare) {
    served.guesses.note(run.guessing, statistics.completionTokens - 1, statistics.decodeMs);
  }
  return reply.end(reason ?? "stop");
}
