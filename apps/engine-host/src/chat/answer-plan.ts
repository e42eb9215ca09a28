import {
  CorralError,
  type ConversationSettings,
  type RetrievalReport,
  type SearchHit,
  type SearchResult,
  type ToolStep,
  type TurnSummary,
} from "@corral/protocol";
import type { EngineTool, GenerateRequest, LoadedModel } from "../engines/engine.ts";
import type { ModelLease } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { IndexTable, Store } from "../store/store.ts";
import type { CitablePassage } from "./citations.ts";
import { isCertain, rankEvidence, readableEvidence, type Evidence } from "./evidence.ts";
import { turnsOf, type EarlierMessage } from "./earlier-turns.ts";
import { groundedPrompt, replyRoom, type GroundedPrompt, type PromptInput } from "./grounded-prompt.ts";
import { withNeighbours } from "./neighbours.ts";
import { fixedReply, readerRequest, refusal } from "./reader-prompt.ts";
import { standaloneQuestion, standsAlone } from "./standalone-question.ts";
import { summarisedPrompt, type SummaryOptions } from "./summarise.ts";
import { wholeDocuments } from "./whole-documents.ts";

/** Passages looked at for one question. */
const passageLimit = 20;

/** Characters of a question that are searched with; more would be a document. */
const queryLength = 10_000;

/** What will be done to answer: ask the model, or say something fixed without it. */
export interface AnswerPlan {
  /** Null: the conversation has no documents attached. */
  report: RetrievalReport | null;
  retrievalMs: number;
  passages: CitablePassage[];
  /** What to ask the model; a string is said as it is, without asking. */
  request: GenerateRequest | string;
  /** What the model is told in place of the oldest turns. */
  summary: TurnSummary | null;
  /** What went into the prompt, for `continueAnswer`; null: the reply is of one turn. */
  prompt: PromptInput | null;
}

/** The settings of a conversation that its answers depend on. */
export type AnswerSettings = Pick<ConversationSettings, "systemPrompt" | "sampling" | "sources"> &
  Partial<Pick<ConversationSettings, "overflow" | "wholeDocuments" | "rewriteQuestions">>;

export interface PlanInput {
  question: string;
  /** Turns before the question, oldest first. */
  history: EarlierMessage[];
  settings: AnswerSettings;
  seed: number | null;
  /** What the model may call. Absent: nothing. */
  tools?: EngineTool[];
}

/** The passages of the conversation's documents that the question is answered from, best first; null: none attached. */
export async function findPassages(
  query: string,
  { sources }: Pick<ConversationSettings, "sources">,
  retrieval: Retrieval,
  signal: AbortSignal,
  limit = passageLimit,
): Promise<SearchResult | null> {
  if (sources.collectionIds.length === 0 && sources.documentIds.length === 0) return null;
  return retrieval.search(query.slice(0, queryLength), sources, limit, signal);
}

/** What an answer is planned with. */
export interface PlanParts {
  store: Pick<Store, "index">;
  retrieval: Retrieval;
  now: () => number;
  /** For what the model is asked on the way: a summary, a question that stands alone. */
  summary?: SummaryOptions;
}

/** "And in winter?" says too little to search with: the model makes it stand alone, else the question before it helps. */
async function queryOf(input: PlanInput, lease: ModelLease, parts: PlanParts, signal: AbortSignal): Promise<string> {
  const { question, history, settings } = input;
  if (question.length > queryLength || standsAlone(question)) return question;
  const before = history.findLast((message) => message.role === "user");
  if (before === undefined) return question;
  const rewritten =
    settings.rewriteQuestions === false ? null : await standaloneQuestion(lease, input, signal, parts.summary);
  return rewritten ?? `${question}\n${before.text}`;
}

/**
 * Decides how a question is answered by this model.
 * @throws CorralError NO_SOURCES (the model can only quote and nothing is attached), CONTEXT_OVERFLOW
 */
export async function planAnswer(
  input: PlanInput,
  lease: ModelLease,
  parts: PlanParts,
  signal: AbortSignal,
): Promise<AnswerPlan> {
  const quotesOnly = lease.summary.ability === "quote";
  const fixed = quotesOnly ? fixedReply(input.question) : null;
  if (fixed !== null) return { ...oneTurn, report: null, retrievalMs: 0, passages: [], request: fixed };

  const started = parts.now();
  if (!quotesOnly) {
    const whole = await planWhole(input, lease, parts, signal);
    if (whole !== null) return { retrievalMs: parts.now() - started, ...whole };
  }
  const hasSources = input.settings.sources.collectionIds.length + input.settings.sources.documentIds.length > 0;
  // A model that can only quote does not know the question before either.
  const query = quotesOnly || !hasSources ? input.question : await queryOf(input, lease, parts, signal);
  const result = await findPassages(query, input.settings, parts.retrieval, signal);
  const found = result?.hits ?? null;
  const retrievalMs = parts.now() - started;
  if (!quotesOnly) {
    const plan = await planGrounded(input, found, lease, parts, signal);
    const report = howFound(plan.report, result);
    return { retrievalMs, ...plan, report: report && query !== input.question ? { ...report, query } : report };
  }
  if (found === null) {
    throw new CorralError(
      "NO_SOURCES",
      `${lease.summary.name} can only quote from documents: attach a collection or a document to this conversation, then ask again.`,
      { model: lease.summary.id },
    );
  }
  const plan = await planQuote(input.question, found, lease.model, parts.store.index, signal);
  return { ...oneTurn, retrievalMs, ...plan, report: howFound(plan.report, result) };
}

/** The report with the legs that found the passages. */
function howFound(report: RetrievalReport | null, result: SearchResult | null): RetrievalReport | null {
  return report && result ? { ...report, legs: result.legs, notes: result.notes } : report;
}

/** The quoting reader knows of no earlier turns and calls nothing. */
const oneTurn = { summary: null, prompt: null };

/** With all of the documents in the prompt; null when they or the conversation beside them don't fit. */
async function planWhole(
  input: PlanInput,
  lease: ModelLease,
  { store, summary }: PlanParts,
  signal: AbortSignal,
): Promise<Omit<AnswerPlan, "retrievalMs"> | null> {
  const { sources, sampling, wholeDocuments: isWanted = true } = input.settings;
  if (!isWanted || sources.collectionIds.length + sources.documentIds.length === 0) return null;
  const replyTokens = replyRoom(sampling, lease.model.facts.contextSize);
  const all = await wholeDocuments(sources, lease, replyTokens, store.index);
  if (all === null) return null;
  try {
    // With `stop` nothing is written or left out on the way to finding that it does not fit.
    const settings = { ...input.settings, overflow: "stop" as const };
    const fitted = await fit({ ...input, settings }, all, lease, signal, summary, true);
    if (fitted.passages.length < all.length) return null;
    const prompt = { ...fitted.prompt!, overflow: input.settings.overflow ?? "drop-oldest" };
    return { ...fitted, prompt, report: { ...fitted.report!, mode: "whole" } };
  } catch (error) {
    if (CorralError.reportOf(error).code === "CONTEXT_OVERFLOW") return null;
    throw error;
  }
}

async function planGrounded(
  input: PlanInput,
  found: SearchHit[] | null,
  lease: ModelLease,
  { store, summary }: PlanParts,
  signal: AbortSignal,
): Promise<Omit<AnswerPlan, "retrievalMs">> {
  const plan = await fit(input, found, lease, signal, summary);
  const { report } = plan;
  if (found === null || report === null || report.omitted + report.omittedTurns > 0) return plan;
  const spare = report.budgetTokens - plan.passageTokens;
  const { passages, widened } = await withNeighbours(found, spare, lease.model, store.index, signal);
  if (widened === 0) return plan;
  const wider = await fit(input, passages, lease, signal, summary);
  // Counted apart, texts can have fewer tokens than together: then what fitted stays.
  return wider.report !== null && wider.report.omitted + wider.report.omittedTurns > 0
    ? plan
    : { ...wider, report: wider.report && { ...wider.report, widened } };
}

/** Makes the prompt of these passages. */
async function fit(
  { settings, question, history, seed, tools = [] }: PlanInput,
  found: SearchHit[] | null,
  lease: ModelLease,
  signal: AbortSignal,
  summaryOptions?: SummaryOptions,
  isWhole = false,
): Promise<Omit<AnswerPlan, "retrievalMs"> & Pick<GroundedPrompt, "passageTokens">> {
  const { systemPrompt, sampling, overflow = "drop-oldest" } = settings;
  const input = { systemPrompt, sampling, overflow, question, tools, passages: found, isWhole, written: null };
  const fitted =
    overflow === "summarise"
      ? await summarisedPrompt(lease, { ...input, history }, signal, summaryOptions)
      : {
          summary: null,
          ...(await groundedPrompt(lease.model, { ...input, summary: null, turns: turnsOf(history) }, signal)),
        };
  const { messages, maxTokens, report, passages, turns, summary, passageTokens } = fitted;
  return {
    passageTokens,
    report: found === null && !leavesOut(report) ? null : report,
    passages: passages.map((hit) => ({ hit, shown: null })),
    request: requestOf(settings, seed, tools, messages, maxTokens),
    summary,
    prompt: { ...input, summary, turns, passages: found === null ? null : passages },
  };
}

/**
 * What to ask the model after it called tools: the same prompt with its calls and their results behind it. When that no
 * longer fits, the oldest turns, then the worst passages, then the oldest results stay out; the report says so.
 * @throws CorralError CONTEXT_OVERFLOW
 */
export async function continueAnswer(
  plan: AnswerPlan & { prompt: PromptInput },
  written: { text: string; steps: ToolStep[] },
  model: LoadedModel,
  signal: AbortSignal,
): Promise<AnswerPlan & { prompt: PromptInput }> {
  const { prompt, request } = plan;
  // With `stop` nothing was left out when the answer began; its own tools must not end it in the middle.
  const overflow = prompt.overflow === "stop" ? "drop-oldest" : prompt.overflow;
  const fitted = await groundedPrompt(model, { ...prompt, overflow, written }, signal);
  const { messages, maxTokens, turns, passages } = fitted;
  const report = plan.report === null ? fitted.report : laterReport(plan.report, fitted.report);
  return {
    ...plan,
    report: plan.report === null && !leavesOut(report) ? null : report,
    request: { ...(request as GenerateRequest), messages, maxTokens },
    prompt: { ...prompt, turns, passages: prompt.passages === null ? null : passages },
  };
}

/** The report of a prompt made from what an earlier one kept. */
function laterReport(before: RetrievalReport, after: RetrievalReport): RetrievalReport {
  return {
    ...before,
    included: after.included,
    omitted: before.found - after.included,
    omittedTurns: before.omittedTurns + after.omittedTurns,
    omittedResults: Math.max(before.omittedResults, after.omittedResults),
    omittedTokens: before.omittedTokens + after.omittedTokens,
  };
}

/** Whether there is something to say about a prompt without documents. */
function leavesOut({ omittedTurns, summarisedTurns, omittedResults }: RetrievalReport): boolean {
  return omittedTurns + summarisedTurns + omittedResults > 0;
}

function requestOf(
  { sampling }: AnswerSettings,
  seed: number | null,
  tools: EngineTool[],
  messages: GenerateRequest["messages"],
  maxTokens: number,
): GenerateRequest {
  const request: GenerateRequest = { ...sampling, messages, maxTokens, seed };
  return tools.length === 0 ? request : { ...request, tools };
}

async function planQuote(
  question: string,
  found: SearchHit[],
  model: LoadedModel,
  index: Pick<IndexTable, "idf">,
  signal: AbortSignal,
): Promise<Pick<AnswerPlan, "report" | "passages" | "request">> {
  const evidence = readableEvidence(await rankEvidence(question.slice(0, queryLength), found, index));
  const { shown, request, budgetTokens } = await fitReader(model, question, evidence, signal);
  const chunksOf = (list: Evidence[]) => new Set(list.map(({ passage }) => passage.chunkId)).size;
  return {
    report: {
      found: found.length,
      included: chunksOf(shown),
      omitted: chunksOf(evidence.slice(shown.length)),
      omittedTurns: 0,
      summarisedTurns: 0,
      omittedResults: 0,
      omittedTokens: 0,
      budgetTokens,
    },
    passages: shown.map(({ passage, sentence }) => ({ hit: passage, shown: sentence })),
    request: shown.length === 0 ? refusal : request,
  };
}

/** Takes the worst sentences away until the reader's prompt and its longest possible reply fit its context. */
async function fitReader(model: LoadedModel, question: string, evidence: Evidence[], signal: AbortSignal) {
  const { contextSize } = model.facts;
  for (let count = evidence.length; count >= 0; count--) {
    const shown = evidence.slice(0, count);
    const sentences = shown.map(({ sentence }) => sentence);
    const request = readerRequest(question, sentences, { certain: isCertain(shown), maxTokens: 1 });
    const promptTokens = await model.countPromptTokens(request.messages, signal);
    const replyTokens = Math.max(...(await model.countTokens(request.alternatives ?? [], signal))) + spareTokens;
    if (promptTokens + replyTokens <= contextSize) {
      request.maxTokens = contextSize - promptTokens;
      return { shown, request, budgetTokens: contextSize - replyTokens };
    }
    if (count === 0) {
      throw new CorralError(
        "CONTEXT_OVERFLOW",
        `The question has ${promptTokens} tokens with its instructions, but this model has room for ${contextSize - replyTokens}: ask in fewer words, or choose a model with a longer context.`,
        { promptTokens, replyTokens, contextTokens: contextSize },
      );
    }
  }
  throw new Error("unreachable: the loop ends at count 0");
}

/** Tokens a sampled reply may have beyond its shortest form, as a grammar allows any split of the same text. */
const spareTokens = 16;
