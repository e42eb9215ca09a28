import type { Citation, Sampling, Sources } from "@corral/protocol";
import type { GenerateRequest, GenerationStatistics } from "../engines/engine.ts";
import type { ModelLease, ScheduledPart } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { Store } from "../store/store.ts";
import { planAnswer, type AnswerPlan } from "./answer-plan.ts";
import { CitationBinder } from "./citations.ts";
import type { EarlierMessage } from "./earlier-turns.ts";

/** A question that is answered without a conversation being kept. */
export interface OnceInput {
  /** Empty: Corral's own. */
  systemPrompt: string;
  question: string;
  /** Turns before the question, oldest first. */
  history: EarlierMessage[];
  sources: Sources;
  sampling: Sampling;
}

/** What an answer yields: a scheduled generation's parts, and each citation as soon as its number is written. */
export type AnswerPart = ScheduledPart | { type: "citation"; citation: Citation };

/**
 * Looks the question up in its documents and decides how it is answered.
 * @throws CorralError NO_SOURCES (the model can only quote and no documents are named), CONTEXT_OVERFLOW
 */
export function planOnce(
  { systemPrompt, question, history, sources, sampling }: OnceInput,
  lease: ModelLease,
  parts: { store: Pick<Store, "index">; retrieval: Retrieval },
  signal: AbortSignal,
): Promise<AnswerPlan> {
  // A program decides itself which turns it sends: none may go missing. And it asks for passages: a request that names a
  // collection costs the same whether the collection is small or large.
  const settings = { systemPrompt, sampling, sources, overflow: "stop" as const, wholeDocuments: false };
  return planAnswer(
    { question, history, settings, seed: sampling.seed },
    lease,
    { ...parts, now: () => performance.now() },
    signal,
  );
}

/**
 * Writes one answer to a plan.
 * @param wishes what the request has besides the plan's own, for example `stop` or another `seed`
 * @throws CorralError as `ModelLease.generate`
 */
export async function* answerOnce(
  plan: AnswerPlan,
  question: string,
  wishes: Partial<GenerateRequest>,
  lease: ModelLease,
  store: Pick<Store, "index" | "pages">,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart, void> {
  if (typeof plan.request === "string") {
    yield { type: "text-delta", text: plan.request, tokens: 0 };
    yield { type: "finish", reason: "stop", statistics: nothingEvaluated };
    return;
  }
  const binder = new CitationBinder(plan.passages, question, store);
  for await (const part of lease.generate({ ...plan.request, ...wishes }, signal)) {
    if (part.type === "finish") for (const citation of await binder.finish()) yield { type: "citation", citation };
    yield part;
    if (part.type !== "text-delta") continue;
    for (const citation of await binder.push(part.text)) yield { type: "citation", citation };
  }
}

const nothingEvaluated: GenerationStatistics = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  prefillMs: 0,
  decodeMs: 0,
};
