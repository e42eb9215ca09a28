import { CorralError, type Citation, type ConversationSettings, type Message } from "@corral/protocol";
import type { Logger } from "../logger.ts";
import type { Models } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import { endedSteps } from "../store/ended-steps.ts";
import type { Store } from "../store/store.ts";
import { findPassages } from "./answer-plan.ts";
import { citationOf } from "./citations.ts";
import type { Clock } from "./clock.ts";
import { rankEvidence } from "./evidence.ts";
import { ProgressSaver } from "./progress-saver.ts";
import type { RunningReply } from "./running-replies.ts";
import type { McpTools } from "./tools/tool-set.ts";
import { AnswerWriter, causeOf, NoModelError, type Outcome } from "./write-answer.ts";

/** Passages shown when there is no model to answer from them. */
const passagesWithoutModel = 5;

/** What chat asks of models. */
export type ChatModels = Pick<Models, "list" | "acquire" | "plan" | "forgetConversation">;

export interface ReplyServices {
  store: Store;
  retrieval: Retrieval;
  models: ChatModels;
  mcp: McpTools;
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
    await new AnswerWriter(task, services, reply, saver, outcome, signal).write();
  } catch (error) {
    failure = causeOf(error);
    if (error instanceof NoModelError && !signal.aborted) {
      outcome.citations = await passagesFor(task, services, signal);
    }
  }
  const end = endOf(failure, outcome.finishReason !== null, signal);
  if (end.error?.code === "INTERNAL") logger.error("reply-failed", { message: task.reply.id }, failure);
  const { message } = reply;
  const result: ReplyResult = {
    text: message.text,
    model: outcome.model,
    citations: outcome.citations ?? message.citations,
    retrieval: message.retrieval,
    summary: message.summary,
    steps: endedSteps(message.steps),
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

/** How a reply that ended like this is kept. */
function endOf(failure: unknown, finished: boolean, signal: AbortSignal): Pick<ReplyResult, "state" | "error"> {
  if (finished) return { state: "complete", error: null };
  if (signal.aborted) return { state: signal.reason === "shutdown" ? "interrupted" : "cancelled", error: null };
  const error = CorralError.reportOf(failure);
  return { state: error.code === "ENGINE_CRASHED" ? "interrupted" : "failed", error };
}

/** The best passages as citations, in their own words, for a reply no model could write; none when even searching fails. */
async function passagesFor(
  { question, settings }: ReplyTask,
  services: ReplyServices,
  signal: AbortSignal,
): Promise<Citation[]> {
  const { store, retrieval, logger } = services;
  try {
    const found = (await findPassages(question.text, settings, retrieval, signal))?.hits ?? [];
    const ranked = await rankEvidence(question.text, found, store.index);
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
