import {
  CorralError,
  defaultSampling,
  type Citation,
  type ModelSummary,
  type RetrievalReport,
  type Sources,
} from "@corral/protocol";
import { answerOnce, planOnce, type AnswerPart } from "../chat/answer-once.ts";
import type {
  EngineMessage,
  EngineToolCall,
  GenerateRequest,
  GenerationStatistics,
  TokenLogprob,
} from "../engines/engine.ts";
import type { ModelLease, Models, RequestClient } from "../models/models.ts";
import type { Retrieval } from "../retrieval/retrieval.ts";
import type { Store } from "../store/store.ts";
import { invalid } from "./api-error.ts";
import { mergeStreams } from "./merge-streams.ts";
import { hasSources } from "./model-choice.ts";

/**
 * Room for a reply whose request names none, tokens: at most this, and at most a quarter of the context, because prompt and
 * room together decide which slot a request waits for. A reply that needs more ends with "length".
 */
const defaultReplyTokens = 4_096;

/** What the rooms below do for a request. */
export interface GenerationServices {
  models: Pick<Models, "acquire">;
  retrieval: Retrieval;
  store: Pick<Store, "index" | "pages">;
}

/** A request in nobody's format. */
export interface Order {
  model: ModelSummary;
  sources: Sources;
  client: RequestClient;
  /** The conversation, or raw text to continue. */
  prompt: EngineMessage[] | string;
  /** Null: what is sensible for the model's context. */
  maxTokens: number | null;
  /** How many replies, written side by side. */
  choices: number;
  /** Everything else, as the engine takes it. */
  wishes: Partial<Omit<GenerateRequest, "messages" | "prompt" | "maxTokens" | "cacheOwner">>;
}

/** What an order yields. `choice` counts from 0; each choice ends with "end". */
export type OrderPart =
  /** Nothing is written yet. Tokens, ms. */
  | { type: "waiting"; place: number; estimateMs: number | null }
  | { type: "prefill"; done: number; total: number }
  /** What was found in the documents; before any text. */
  | { type: "retrieval"; report: RetrievalReport }
  | { type: "text"; choice: number; text: string; logprobs: TokenLogprob[] }
  /** The text of this choice, up to here, rests on this. */
  | { type: "citation"; choice: number; citation: Citation }
  | { type: "tool-call"; choice: number; call: EngineToolCall }
  | {
      type: "end";
      choice: number;
      reason: "stop" | "length" | "tool-calls";
      stopText: string | null;
      statistics: GenerationStatistics;
    };

/**
 * Carries out an order. Errors that are the request's own come before the first part. Once the signal aborts there are no
 * more parts, and no "end".
 * @throws CorralError, ApiError
 */
export async function* carryOut(
  order: Order,
  services: GenerationServices,
  signal: AbortSignal,
): AsyncGenerator<OrderPart, void> {
  refuseForAbility(order);
  refuseBias(order);
  // Leaving the loop over the parts stops what still runs.
  const stopping = new AbortController();
  const until = AbortSignal.any([signal, stopping.signal]);
  await using lease = await services.models.acquire(order.model.id, { signal: until, client: order.client });
  try {
    const write = hasSources(order.sources) || order.model.ability === "quote" ? fromDocuments : fromPrompt;
    const started = await write(order, lease, services, until);
    if (started.report !== null) yield { type: "retrieval", report: started.report };
    const streams = Array.from({ length: order.choices }, (_, choice) => choiceParts(started.reply(choice), choice));
    for await (const part of mergeStreams(streams, () => stopping.abort())) {
      if (until.aborted) return;
      if (part.type === "end") lease.noteSpeed(part.statistics);
      yield part;
    }
  } finally {
    stopping.abort();
  }
}

interface StartedOrder {
  report: RetrievalReport | null;
  reply(choice: number): AsyncIterable<AnswerPart>;
}

async function fromPrompt(
  { prompt, wishes, client, ...order }: Order,
  lease: ModelLease,
  _services: GenerationServices,
  signal: AbortSignal,
): Promise<StartedOrder> {
  const messages = typeof prompt === "string" ? [] : prompt;
  const maxTokens = order.maxTokens ?? (await roomForReply(prompt, lease, signal, wishes));
  const request: GenerateRequest = {
    ...samplingDefaults,
    ...wishes,
    messages,
    ...(typeof prompt === "string" ? { prompt } : {}),
    maxTokens,
    cacheOwner: cacheOwnerOf(client),
  };
  return { report: null, reply: (choice) => lease.generate(withSeed(request, choice), signal) };
}

async function fromDocuments(
  { prompt, wishes, sources, client, ...order }: Order,
  lease: ModelLease,
  { retrieval, store }: GenerationServices,
  signal: AbortSignal,
): Promise<StartedOrder> {
  if (typeof prompt === "string") {
    throw invalid("prompt", "Documents are answered from in a conversation: use /v1/chat/completions with this model.");
  }
  const last = prompt.at(-1);
  if (last?.role !== "user") {
    throw invalid("messages", "To answer from documents, the last message must be the user's question.");
  }
  const sampling = {
    ...defaultSampling,
    ...Object.fromEntries(samplingNames.flatMap((name) => (wishes[name] === undefined ? [] : [[name, wishes[name]]]))),
    maxTokens: order.maxTokens ?? defaultSampling.maxTokens,
  };
  const ofRole = (...roles: EngineMessage["role"][]) => prompt.slice(0, -1).filter(({ role }) => roles.includes(role));
  const plan = await planOnce(
    {
      systemPrompt: ofRole("system")
        .map(({ text }) => text)
        .join("\n\n"),
      question: last.text,
      history: ofRole("user", "assistant").map(({ role, text }) => ({
        role: role === "user" ? ("user" as const) : ("assistant" as const),
        text,
      })),
      sources,
      sampling,
    },
    lease,
    { retrieval, store },
    signal,
  ).catch((error: unknown) => {
    throw inWordsOfTheApi(error);
  });
  const extras = Object.fromEntries(
    Object.entries(wishes).filter(([name]) => !(samplingNames as readonly string[]).includes(name)),
  );
  const own = { ...extras, cacheOwner: cacheOwnerOf(client) };
  return {
    report: plan.report,
    reply: (choice) => {
      const seed = withSeed({ seed: sampling.seed }, choice).seed;
      return answerOnce(plan, last.text, { ...own, seed }, lease, store, signal);
    },
  };
}

const samplingNames = ["temperature", "topP", "topK", "minP", "repeatPenalty", "seed"] as const;

const { maxTokens: _unused, ...samplingDefaults } = defaultSampling;

async function* choiceParts(parts: AsyncIterable<AnswerPart>, choice: number): AsyncGenerator<OrderPart, void> {
  for await (const part of parts) {
    if (part.type === "queued") {
      yield { type: "waiting", place: part.place, estimateMs: part.estimateMs };
    } else if (part.type === "prefill-progress") {
      yield { type: "prefill", done: part.done, total: part.total };
    } else if (part.type === "text-delta") {
      yield { type: "text", choice, text: part.text, logprobs: part.logprobs ?? [] };
    } else if (part.type === "citation") {
      yield { type: "citation", choice, citation: part.citation };
    } else if (part.type === "tool-call") {
      yield { type: "tool-call", choice, call: part.call };
    } else if (part.reason !== "cancelled") {
      const { reason, stopText = null, statistics } = part;
      yield { type: "end", choice, reason, stopText, statistics };
    }
  }
}

/** Only requests of the same client reuse each other's KV cache. */
function cacheOwnerOf({ user }: RequestClient): string {
  return `api:${user}`;
}

/** Choices must not come out the same: a given seed moves on with each. */
function withSeed<Request extends { seed: number | null }>(request: Request, choice: number): Request {
  return request.seed === null ? request : { ...request, seed: (request.seed + choice) % 2 ** 32 };
}

async function roomForReply(
  prompt: Order["prompt"],
  { model }: ModelLease,
  signal: AbortSignal,
  { tools, toolChoice }: Order["wishes"],
): Promise<number> {
  const offered = toolChoice === "none" ? undefined : tools;
  const promptTokens =
    typeof prompt === "string"
      ? ((await model.countTokens([prompt], signal))[0] ?? 0) + 1
      : await model.countPromptTokens(prompt, signal, offered);
  const { contextSize } = model.facts;
  // At least one, so that the engine itself says how far it is over.
  return Math.max(1, Math.min(defaultReplyTokens, Math.ceil(contextSize / 4), contextSize - promptTokens));
}

/** @throws ApiError where this model cannot do what the order asks */
function refuseForAbility({ model, wishes, sources, prompt }: Order): void {
  if (model.ability === "embed") throw invalid("model", `${model.id} makes embeddings: use /v1/embeddings.`);
  if (model.ability === "rank") throw invalid("model", `${model.id} ranks texts: use /v1/rerank.`);
  const structured = wishes.tools?.length ? "tools" : wishes.jsonSchema !== undefined ? "response_format" : null;
  if (model.ability === "quote" && structured !== null) {
    throw invalid(structured, `${model.id} can only quote from documents, so ${structured} cannot be used with it.`);
  }
  if (hasSources(sources) && structured !== null) {
    throw invalid(
      structured,
      `${structured} cannot be combined with collections: an answer from documents is text with citations.`,
    );
  }
  if (model.ability === "quote" && typeof prompt === "string") {
    throw invalid(
      "model",
      `${model.id} can only quote from documents: use /v1/chat/completions with ${model.id}+COLLECTION.`,
    );
  }
}

function refuseBias({ wishes, model }: Order): void {
  const size = model.shape?.vocabularySize ?? Infinity;
  const beyond = Object.keys(wishes.logitBias ?? {}).find((token) => Number(token) >= size);
  if (beyond === undefined) return;
  throw invalid("logit_bias", `logit_bias names token ${beyond}, but ${model.id} has only tokens 0 to ${size - 1}.`);
}

function inWordsOfTheApi(error: unknown): unknown {
  if (!(error instanceof CorralError) || error.code !== "NO_SOURCES") return error;
  const { model } = (error as CorralError<"NO_SOURCES">).data;
  const message = `${model} can only quote from documents: ask for the model "${model}+COLLECTION", or name collections in the field corral.collections.`;
  return new CorralError("NO_SOURCES", message, { model }, { cause: error });
}
