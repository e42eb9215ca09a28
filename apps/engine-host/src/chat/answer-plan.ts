import { CorralError, type ConversationSettings, type RetrievalReport, type SearchHit } from "@corral/protocol";
import type { GenerateRequest, LoadedModel } from "../engines/engine.ts";
import type { ModelLease } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { IndexTable, Store } from "../store/store.ts";
import type { CitablePassage } from "./citations.ts";
import { isCertain, rankEvidence, readableEvidence, type Evidence } from "./evidence.ts";
import { topicTerms } from "./function-words.ts";
import { groundedPrompt, type EarlierTurn } from "./grounded-prompt.ts";
import { fixedReply, readerRequest, refusal } from "./reader-prompt.ts";

/** Passages looked at for one question. */
const passageLimit = 20;

/** Characters of a question that are searched with; more would be a document. */
const queryLength = 10_000;

/** Topic words that make a question searchable on its own. */
const standaloneTopics = 2;

/** What will be done to answer: ask the model, or say something fixed without it. */
export interface AnswerPlan {
  /** Null: the conversation has no documents attached. */
  report: RetrievalReport | null;
  retrievalMs: number;
  passages: CitablePassage[];
  /** What to ask the model; a string is said as it is, without asking. */
  request: GenerateRequest | string;
}

export interface PlanInput {
  question: string;
  /** Turns before the question, oldest first. */
  history: EarlierTurn[];
  settings: ConversationSettings;
  seed: number | null;
}

/** The passages of the conversation's documents that the question is answered from, best first; null: none attached. */
export async function findPassages(
  query: string,
  { sources }: ConversationSettings,
  retrieval: Retrieval,
  signal: AbortSignal,
): Promise<SearchHit[] | null> {
  if (sources.collectionIds.length === 0 && sources.documentIds.length === 0) return null;
  return retrieval.search(query.slice(0, queryLength), sources, passageLimit, signal);
}

/** "And in winter?" says too little to search with: then the question before it helps. */
function queryOf({ question, history }: PlanInput): string {
  if (question.length > queryLength || topicTerms(question).length >= standaloneTopics) return question;
  const before = history.findLast((message) => message.role === "user");
  return before === undefined ? question : `${question}\n${before.text}`;
}

/**
 * Decides how a question is answered by this model.
 * @throws CorralError NO_SOURCES (the model can only quote and nothing is attached), CONTEXT_OVERFLOW
 */
export async function planAnswer(
  input: PlanInput,
  lease: ModelLease,
  parts: { store: Pick<Store, "index">; retrieval: Retrieval; now: () => number },
  signal: AbortSignal,
): Promise<AnswerPlan> {
  const quotesOnly = lease.summary.ability === "quote";
  const fixed = quotesOnly ? fixedReply(input.question) : null;
  if (fixed !== null) return { report: null, retrievalMs: 0, passages: [], request: fixed };

  const started = parts.now();
  // A model that can only quote does not know the question before either.
  const query = quotesOnly ? input.question : queryOf(input);
  const found = await findPassages(query, input.settings, parts.retrieval, signal);
  const retrievalMs = parts.now() - started;
  if (!quotesOnly) return { retrievalMs, ...(await planGrounded(input, found, lease.model, signal)) };
  if (found === null) {
    throw new CorralError(
      "NO_SOURCES",
      `${lease.summary.name} can only quote from documents: attach a collection or a document to this conversation, then ask again.`,
      { model: lease.summary.id },
    );
  }
  return { retrievalMs, ...(await planQuote(input.question, found, lease.model, parts.store.index, signal)) };
}

async function planGrounded(
  { settings, question, history, seed }: PlanInput,
  found: SearchHit[] | null,
  model: LoadedModel,
  signal: AbortSignal,
): Promise<Omit<AnswerPlan, "retrievalMs">> {
  const prompt = await groundedPrompt(model, { ...settings, question, history, passages: found }, signal);
  const { messages, maxTokens, report } = prompt;
  return {
    // Without documents there is only something to report when earlier turns had to stay out.
    report: found === null && report.omittedTurns === 0 ? null : report,
    passages: prompt.passages.map((hit) => ({ hit, shown: null })),
    request: { ...settings.sampling, messages, maxTokens, seed },
  };
}

async function planQuote(
  question: string,
  found: SearchHit[],
  model: LoadedModel,
  index: Pick<IndexTable, "idf">,
  signal: AbortSignal,
): Promise<Omit<AnswerPlan, "retrievalMs">> {
  const evidence = readableEvidence(await rankEvidence(question.slice(0, queryLength), found, index));
  const { shown, request, budgetTokens } = await fitReader(model, question, evidence, signal);
  const chunksOf = (list: Evidence[]) => new Set(list.map(({ passage }) => passage.chunkId)).size;
  return {
    report: {
      found: found.length,
      included: chunksOf(shown),
      omitted: chunksOf(evidence.slice(shown.length)),
      omittedTurns: 0,
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
