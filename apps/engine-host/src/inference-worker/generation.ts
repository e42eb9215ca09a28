import { randomInt } from "node:crypto";
import { CorralError } from "@corral/protocol";
import { LlamaGrammarEvaluationState, type SequenceEvaluateOptions, type Token } from "node-llama-cpp";
import type { EnginePart, GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import { alternativesGrammar } from "./alternatives-grammar.ts";
import { renderPrompt, type ChatPrompt } from "./chat-prompt.ts";
import { DeltaBuffer } from "./delta-buffer.ts";
import type { ServedModel } from "./load-model.ts";
import { ReplyText } from "./reply-text.ts";
import type { Slot } from "./sequence-pool.ts";

/** llama.cpp's usual window of the repetition penalty, tokens. */
const penaltyWindow = 64;

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
  const finish = (reason: "stop" | "length" | "cancelled") => emit({ type: "finish", reason, statistics });
  const prompt = renderPrompt(served.model, served.format, request.messages);
  statistics.promptTokens = prompt.tokens.length;
  refuseOverflow(prompt.tokens.length, request.maxTokens, served.facts.contextSize);
  const options = await samplingOf(served, request);

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
    const reason = await evaluate(served, slot, prompt, request, options, signal, emit, statistics);
    isClean = true;
    finish(reason);
  } finally {
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

async function samplingOf(served: ServedModel, request: GenerateRequest): Promise<SequenceEvaluateOptions> {
  const { temperature, topP, topK, minP, repeatPenalty, seed, alternatives } = request;
  const options: SequenceEvaluateOptions = {
    temperature,
    topP,
    topK,
    minP,
    // node-llama-cpp's own default is the clock in seconds: two replies in one second would be the same.
    seed: seed ?? randomInt(2 ** 32),
    yieldEogToken: true,
  };
  if (alternatives) {
    const grammar = await served.llama.createGrammar({ grammar: alternativesGrammar(alternatives) });
    options.grammarEvaluationState = new LlamaGrammarEvaluationState({ model: served.model, grammar });
  }
  if (repeatPenalty !== 1) {
    options.repeatPenalty = { penalty: repeatPenalty, maxPunishTokens: penaltyWindow, punishTokens: [] };
  }
  return options;
}

async function evaluate(
  served: ServedModel,
  slot: Slot,
  prompt: ChatPrompt,
  request: GenerateRequest,
  options: SequenceEvaluateOptions,
  signal: AbortSignal,
  emit: (part: EnginePart) => void,
  statistics: GenerationStatistics,
): Promise<"stop" | "length" | "cancelled"> {
  const { model, context } = served;
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

  const written: Token[] = [];
  if (options.repeatPenalty) options.repeatPenalty.punishTokens = () => written.slice(-penaltyWindow);
  // What a document says must not end a reply that quotes it word for word.
  const text = new ReplyText(model, request.alternatives ? [] : prompt.stopTexts);
  using deltas = new DeltaBuffer((delta, tokens) => emit({ type: "text-delta", text: delta, tokens }));
  let all = "";
  let firstAt = 0;
  let reason: "stop" | "length" | "cancelled" = "stop";
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
    if (model.isEogToken(token) || prompt.stopTokens.has(token)) break;
    written.push(token);
    const added = text.push(token);
    deltas.add(added);
    if (request.alternatives) all += added;
    if (text.stopped) break;
    if (written.length >= request.maxTokens) {
      reason = "length";
      break;
    }
  }
  statistics.completionTokens = written.length;
  statistics.decodeMs = firstAt === 0 ? 0 : performance.now() - firstAt;
  const rest = text.end();
  deltas.addText(rest);
  if (reason === "length" && request.alternatives?.includes(all + rest)) reason = "stop";
  return reason;
}
