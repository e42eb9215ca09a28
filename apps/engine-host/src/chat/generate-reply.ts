import {
  CorralError,
  type Citation,
  type ConversationSettings,
  type Message,
  type Timings,
  type Usage,
} from "@corral/protocol";
import type { GenerationStatistics, LoadedModel } from "../engines/engine.ts";
import type { Logger } from "../logger.ts";
import type { Models } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { Store } from "../store/store.ts";
import { findPassages, planAnswer, type PlanInput } from "./answer-plan.ts";
import { CitationBinder, citationOf } from "./citations.ts";
import type { Clock } from "./clock.ts";
import { rankEvidence } from "./evidence.ts";
import { ProgressSaver } from "./progress-saver.ts";
import type { RunningReply } from "./running-replies.ts";

/** Passages shown when there is no model to answer from them. */
const passagesWithoutModel = 5;

/** What chat asks of models. */
export type ChatModels = Pick<Models, "list" | "acquire" | "plan">;

export interface ReplyServices {
  store: Store;
  retrieval: Retrieval;
  models: ChatModels;
  clock: Clock;
  logger: Logger;
}

/** One reply to be written. */
export interface ReplyTask {
  question: Message;
  reply: Message;
  /** Turns before the question, oldest first. */
  history: Message[];
  settings: ConversationSettings;
  seed: number | null;
}

/** What a reply came to, as the store keeps it. */
type ReplyResult = Parameters<Store["messages"]["finish"]>[1];

/**
 * Writes a reply: model, retrieval, prompt, generation, citations; saved about once a second and whole at the end.
 * Every failure ends in the stored message, so this never rejects. `signal.reason` is a StopReason.
 */
export async function generateReply(
  task: ReplyTask,
  services: ReplyServices,
  reply: RunningReply,
  signal: AbortSignal,
): Promise<Message> {
  const { store, clock, logger } = services;
  const saver = new ProgressSaver(task.reply.id, store.messages, clock);
  const outcome: Outcome = { model: task.reply.model, timings: null, usage: null, finishReason: null, citations: null };
  let failure: unknown = null;
  try {
    await answer(task, services, reply, saver, outcome, signal);
  } catch (error) {
    failure = error;
  }
  const end = endOf(failure, outcome.finishReason !== null, signal);
  if (end.error?.code === "INTERNAL") logger.error("reply-failed", { message: task.reply.id }, failure);
  const { message } = reply;
  const result: ReplyResult = {
    text: message.text,
    model: outcome.model,
    citations: outcome.citations ?? message.citations,
    retrieval: message.retrieval,
    timings: outcome.timings,
    usage: outcome.usage,
    finishReason: outcome.finishReason,
    ...end,
  };
  try {
    await saver.stop();
    return await store.messages.finish(task.reply.id, result);
  } catch (error) {
    logger.error("reply-not-saved", { message: task.reply.id }, error);
    return { ...message, ...result, state: "failed", error: CorralError.reportOf(error) };
  }
}

interface Outcome {
  model: string | null;
  timings: Timings | null;
  usage: Usage | null;
  finishReason: "stop" | "length" | null;
  /** Null: those published on the way. */
  citations: Citation[] | null;
}

/** How a reply that ended like this is kept. */
function endOf(failure: unknown, finished: boolean, signal: AbortSignal): Pick<ReplyResult, "state" | "error"> {
  if (finished) return { state: "complete", error: null };
  if (signal.aborted) return { state: signal.reason === "shutdown" ? "interrupted" : "cancelled", error: null };
  const error = CorralError.reportOf(failure);
  return { state: error.code === "ENGINE_CRASHED" ? "interrupted" : "failed", error };
}

async function answer(
  task: ReplyTask,
  services: ReplyServices,
  reply: RunningReply,
  saver: ProgressSaver,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const { store, models, retrieval, clock } = services;
  const started = clock.now();
  const input: PlanInput = { ...task, question: task.question.text };
  const onWaiting = (progress: number | null) => reply.publish({ type: "waiting", reason: "model-loading", progress });
  let lease;
  try {
    lease = await models.acquire(task.settings.model, { signal, onWaiting });
  } catch (error) {
    if (!signal.aborted) outcome.citations = await passagesFor(input, services, signal);
    throw error;
  }
  await using held = lease;
  outcome.model = held.summary.id;
  const plan = await planAnswer(input, held, { store, retrieval, now: () => clock.now() }, signal);
  if (plan.report !== null) reply.publish({ type: "retrieval", report: plan.report });

  const write = (text: string) => {
    reply.publish({ type: "text-delta", text });
    saver.changed(reply.message.text);
  };
  if (typeof plan.request === "string") {
    write(plan.request);
    outcome.finishReason = "stop";
    const totalMs = clock.now() - started;
    outcome.timings = timingsOf({ totalMs, timeToFirstTokenMs: totalMs, retrievalMs: plan.retrievalMs }, null);
    return;
  }

  const binder = new CitationBinder(plan.passages, input.question, store);
  const request = { ...plan.request, cacheOwner: task.reply.conversationId };
  let timeToFirstTokenMs = 0;
  for await (const part of held.generate(request, signal)) {
    if (part.type === "queued") {
      reply.publish({ type: "waiting", reason: "queue", progress: null, place: part.place, estimateMs: part.estimateMs });
    } else if (part.type === "prefill-progress") {
      reply.publish(part);
    } else if (part.type === "text-delta") {
      if (timeToFirstTokenMs === 0) timeToFirstTokenMs = clock.now() - started;
      write(part.text);
      for (const citation of await binder.push(part.text)) reply.publish({ type: "citation", citation });
    } else if (part.type === "finish") {
      const totalMs = clock.now() - started;
      outcome.timings = timingsOf({ totalMs, timeToFirstTokenMs, retrievalMs: plan.retrievalMs }, part.statistics);
      outcome.usage = usageOf(part.statistics, held.model);
      held.noteSpeed(part.statistics);
      if (part.reason === "stop" || part.reason === "length") outcome.finishReason = part.reason;
    }
  }
}

/** The best passages as citations, in their own words, for a reply no model could write; none when even searching fails. */
async function passagesFor(input: PlanInput, services: ReplyServices, signal: AbortSignal): Promise<Citation[]> {
  const { store, retrieval, logger } = services;
  try {
    const found = (await findPassages(input.question, input.settings, retrieval, signal)) ?? [];
    const ranked = await rankEvidence(input.question, found, store.index);
    return await Promise.all(
      found.slice(0, passagesWithoutModel).map((hit, at) => {
        const best = ranked.find((evidence) => evidence.passage.chunkId === hit.chunkId);
        return citationOf(at + 1, hit, best?.sentence ?? hit.text, "verbatim", store);
      }),
    );
  } catch (error) {
    logger.warn("passages-not-found", {}, error);
    return [];
  }
}

function timingsOf(
  measured: Pick<Timings, "totalMs" | "timeToFirstTokenMs" | "retrievalMs">,
  statistics: GenerationStatistics | null,
): Timings {
  const perSecond = (tokens: number, ms: number) => (tokens > 0 && ms > 0 ? (tokens * 1000) / ms : 0);
  const { promptTokens = 0, cachedTokens = 0, completionTokens = 0, prefillMs = 0, decodeMs = 0 } = statistics ?? {};
  return {
    ...measured,
    prefillMs,
    decodeMs,
    prefillTokensPerSecond: perSecond(promptTokens - cachedTokens, prefillMs),
    // From the first token to the last there is one token less than there are tokens.
    decodeTokensPerSecond: perSecond(completionTokens - 1, decodeMs),
  };
}

function usageOf({ promptTokens, cachedTokens, completionTokens }: GenerationStatistics, model: LoadedModel): Usage {
  return { promptTokens, cachedTokens, completionTokens, contextSize: model.facts.contextSize };
}
