import { CorralError } from "@corral/protocol";
import type { SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { EnginePart, GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import { renderPrompt, type ChatPrompt } from "./chat-prompt.ts";
import type { ServedModel } from "./load-model.ts";
import { Reply, type FinishReason } from "./reply.ts";
import { samplingOf } from "./sampling.ts";
import type { Slot } from "./sequence-pool.ts";

/**
 * Generates one reply and emits its parts, `finish` last. Aborting takes effect within a token, or within a batch while
 * the prompt is evaluated.
 * @throws CorralError CONTEXT_OVERFLOW, INVALID_INPUT
 */
export async function generate(
  served: ServedModel,
  request: GenerateRequest,
  signal: AbortSignal,
  emit: (part: EnginePart) => void,
): Promise<void> {
  const statistics = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, prefillMs: 0, decodeMs: 0 };
  const finish = (reason: FinishReason) => emit({ type: "finish", reason, statistics });
  const prompt = renderPrompt(served.model, served.format, request.messages);
  statistics.promptTokens = prompt.tokens.length;
  refuseOverflow(prompt.tokens.length, request.maxTokens, served.facts.contextSize);
  const reply = new Reply(served, request, prompt, emit);
  const options = await samplingOf(served, request, reply.tokens);

  const owner = request.cacheOwner ?? null;
  let slot: Slot;
  try {
    slot = await served.pool.borrow(owner, prompt.tokens, signal);
  } catch (error) {
    if (signal.aborted) return finish("cancelled");
    throw error;
  }
  let isClean = false;
  try {
    await prepare(slot, owner, prompt.tokens);
    const reason = await evaluate(served, slot, prompt, reply, options, signal, emit, statistics);
    isClean = true;
    finish(reason);
  } finally {
    if (!isClean) reply.abandon();
    // After a failure nobody knows what the KV cache holds.
    if (!isClean || owner === null) await slot.sequence.clearHistory();
    slot.owner = isClean ? owner : null;
    served.pool.giveBack(slot);
  }
}

/** The last token written is never evaluated, so prompt and reply may fill the context exactly. */
function refuseOverflow(promptTokens: number, replyTokens: number, contextTokens: number): void {
  if (promptTokens + replyTokens <= contextTokens) return;
  const message = `The prompt (${promptTokens} tokens) and room for the reply (${replyTokens}) exceed the model's context of ${contextTokens} tokens. Shorten the question, attach fewer sources or ask for a shorter reply.`;
  throw new CorralError("CONTEXT_OVERFLOW", message, { promptTokens, replyTokens, contextTokens });
}

/** Leaves in the sequence what the prompt can build on: the same owner's common beginning, else nothing. */
async function prepare(slot: Slot, owner: string | null, prompt: readonly Token[]): Promise<void> {
  if (owner === null || slot.owner !== owner) {
    await slot.sequence.clearHistory();
  } else {
    // The last prompt token is always evaluated anew: its result is the first token of the reply.
    await slot.sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  }
  slot.owner = owner;
}

async function evaluate(
  served: ServedModel,
  slot: Slot,
  prompt: ChatPrompt,
  reply: Reply,
  options: SequenceEvaluateOptions,
  signal: AbortSignal,
  emit: (part: EnginePart) => void,
  statistics: GenerationStatistics,
): Promise<FinishReason> {
  const { context } = served;
  const { sequence } = slot;
  const startedAt = performance.now();
  statistics.cachedTokens = sequence.nextTokenIndex;

  const total = prompt.tokens.length;
  let done = sequence.nextTokenIndex;
  emit({ type: "prefill-progress", done, total });
  while (total - done > context.batchSize) {
    if (signal.aborted) return "cancelled";
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.tokens.slice(done, done + context.batchSize));
    served.evaluations++;
    done += context.batchSize;
    emit({ type: "prefill-progress", done, total });
  }
  if (signal.aborted) return "cancelled";

  let firstAt = 0;
  let reason: FinishReason = "stop";
  for await (const token of sequence.evaluate(prompt.tokens.slice(done), options)) {
    served.evaluations++;
    if (firstAt === 0) {
      firstAt = performance.now();
      statistics.prefillMs = firstAt - startedAt;
      emit({ type: "prefill-progress", done: total, total });
    }
    if (signal.aborted) {
      reason = "cancelled";
      break;
    }
    const end = reply.push(token);
    if (end !== null) {
      reason = end;
      break;
    }
  }
  statistics.completionTokens = reply.tokens.length;
  statistics.decodeMs = firstAt === 0 ? 0 : performance.now() - firstAt;
  return reply.end(reason);
}
