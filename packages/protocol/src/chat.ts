import { z } from "zod";
import { sources, textSpan } from "./documents.ts";
import { errorReport } from "./errors.ts";
import { searchLeg, searchNote } from "./search.ts";
import { overflowChoice } from "./overflow.ts";
import { allowedTool, toolCall, toolStep } from "./tools.ts";

/** A numbered passage the answer rests on. */
export const citation = z.object({
  /** The number in the answer's text, as in "[2]". */
  number: z.number().int(),
  chunkId: z.string(),
  documentId: z.string(),
  document: z.string(),
  page: z.number().int().nullable(),
  /** What people call the page or section ("Slide 3", "Budget A2:F31"); absent where only the number is known. */
  label: z.string().optional(),
  /** The passage's best evidence, word for word from the document. */
  quote: z.string(),
  /** Where `quote` stands. */
  spans: z.array(textSpan),
  /**
   * verbatim: the sentence in the answer that carries this number stands in the passage word for word. paraphrase: in other
   * words. unsupported: a sentence that carries it says what the passage does not.
   */
  support: z.enum(["verbatim", "paraphrase", "unsupported"]),
  /** The sentence of the answer the passage does not support. */
  statement: z.string().optional(),
});
export type Citation = z.infer<typeof citation>;

/** ms and tokens per second. */
export const timings = z.object({
  timeToFirstTokenMs: z.number(),
  retrievalMs: z.number(),
  prefillMs: z.number(),
  decodeMs: z.number(),
  totalMs: z.number(),
  decodeTokensPerSecond: z.number(),
  prefillTokensPerSecond: z.number(),
});
export type Timings = z.infer<typeof timings>;

/** Tokens. `cachedTokens` of the prompt were already in the KV cache. */
export const usage = z.object({
  promptTokens: z.number().int(),
  cachedTokens: z.number().int(),
  completionTokens: z.number().int(),
  contextSize: z.number().int(),
});
export type Usage = z.infer<typeof usage>;

/** What was found for a question, what went into the prompt and what had to stay out. */
export const retrievalReport = z.object({
  /** Passages that scored. */
  found: z.number().int(),
  /** Passages in the prompt. */
  included: z.number().int(),
  /** Passages left out because the token budget was full. */
  omitted: z.number().int(),
  /** Earlier turns left out of the prompt because the context was full. */
  omittedTurns: z.number().int(),
  /** Earlier turns that a summary stands for. */
  summarisedTurns: z.number().int(),
  /** Results of earlier tool calls of this reply left out because the context was full. */
  omittedResults: z.number().int(),
  /** Tokens of everything that was left out. */
  omittedTokens: z.number().int(),
  budgetTokens: z.number().int(),
  /** whole: the documents fitted, so all of them was in the prompt. Absent: the passages that were found. */
  mode: z.enum(["whole", "passages"]).optional(),
  /** Passages lengthened by their neighbours in the same section, as there was room. */
  widened: z.number().int().optional(),
  /** What was searched with, where it was not the question itself: a follow-up made to stand alone. */
  query: z.string().optional(),
  /** How the passages were found. Absent: in replies from before it was told. */
  legs: z.array(searchLeg).optional(),
  notes: z.array(searchNote).optional(),
});
export type RetrievalReport = z.infer<typeof retrievalReport>;

/** What stands for the oldest turns of a conversation that no longer fits. */
export const turnSummary = z.object({
  text: z.string(),
  /** Turns it stands for: the oldest of the branch. */
  turns: z.number().int(),
  /** The last message it covers. */
  throughMessageId: z.string(),
});
export type TurnSummary = z.infer<typeof turnSummary>;

/** cancelled: the user stopped it. interrupted: the engine or the host died. failed: see error. */
export const messageState = z.enum(["streaming", "complete", "cancelled", "interrupted", "failed"]);
export type MessageState = z.infer<typeof messageState>;

export const message = z.object({
  id: z.string(),
  conversationId: z.string(),
  parentId: z.string().nullable(),
  role: z.enum(["user", "assistant"]),
  text: z.string(),
  state: messageState,
  createdAt: z.string(),
  model: z.string().nullable(),
  /** What the model did with tools before and between its words, oldest first. */
  steps: z.array(toolStep),
  /** What the model was told in place of the oldest turns; null: nothing was summarised. */
  summary: turnSummary.nullable(),
  citations: z.array(citation),
  retrieval: retrievalReport.nullable(),
  timings: timings.nullable(),
  usage: usage.nullable(),
  /** stop: the model ended. length: the reply limit was reached. */
  finishReason: z.enum(["stop", "length"]).nullable(),
  error: errorReport.nullable(),
  /** All versions at this place (regenerated replies, edited questions), oldest first, this one included. */
  versions: z.array(z.string()),
});
export type Message = z.infer<typeof message>;

export const sampling = z.object({
  temperature: z.number().min(0).max(2),
  topP: z.number().gt(0).max(1),
  topK: z.number().int().min(0).max(1000),
  minP: z.number().min(0).max(1),
  repeatPenalty: z.number().min(1).max(2),
  maxTokens: z.number().int().min(1).max(131072),
  seed: z.number().int().min(0).max(4294967295).nullable(),
});
export type Sampling = z.infer<typeof sampling>;

export const conversationSummary = z.object({
  id: z.string(),
  title: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** Part of a message that matched a search of the list; null without a search. */
  snippet: z.string().nullable(),
});
export type ConversationSummary = z.infer<typeof conversationSummary>;

export const conversationSettings = z.object({
  /** Empty: Corral's own. The reader model ignores it, as its layout is fixed. */
  systemPrompt: z.string().max(100_000),
  sampling,
  sources,
  /** Null: the default model of the host. */
  model: z.string().nullable(),
  tools: z.object({
    /** Names of the tools the model may call. */
    enabled: z.array(z.string().max(200)).max(500),
    /** Tools of MCP servers that may run without asking each time. */
    allowed: z.array(allowedTool).max(500),
  }),
  /** What to do when the conversation no longer fits into the context. */
  overflow: overflowChoice,
  /** Documents that fit the context are read whole instead of searched. Absent: yes. */
  wholeDocuments: z.boolean().optional(),
  /** A follow-up question is made to stand alone by the model before it is searched with. Absent: yes. */
  rewriteQuestions: z.boolean().optional(),
});
export type ConversationSettings = z.infer<typeof conversationSettings>;

/** A conversation with the messages of its active branch, oldest first. */
export const conversation = conversationSummary.extend({ settings: conversationSettings, messages: z.array(message) });
export type Conversation = z.infer<typeof conversation>;

/** The parts of a reply as it is written. `snapshot` first (also after a reconnect), `finish` last. */
export const generationPart = z.discriminatedUnion("type", [
  /** The reply so far. */
  z.object({ type: z.literal("snapshot"), message }),
  z.object({
    type: z.literal("waiting"),
    reason: z.enum(["model-loading", "queue", "summarising"]),
    /** 0..1 of a load; null in the queue. */
    progress: z.number().nullable(),
    /** In the queue: 1 = next. */
    place: z.number().int().optional(),
    /** In the queue: ms until it starts; null where nothing was measured yet. */
    estimateMs: z.number().nullable().optional(),
  }),
  z.object({ type: z.literal("retrieval"), report: retrievalReport }),
  z.object({ type: z.literal("summary"), summary: turnSummary }),
  /** Tokens of the prompt evaluated so far. */
  z.object({
    type: z.literal("prefill-progress"),
    done: z.number(),
    total: z.number(),
    /** ms until the whole prompt is read, at the pace so far; null while that is not known. */
    leftMs: z.number().nullable().optional(),
  }),
  z.object({ type: z.literal("text-delta"), text: z.string() }),
  z.object({ type: z.literal("citation"), citation }),
  /** A call, new or in its next state. `step` is its place in the message's steps, `textEnd` that step's. */
  z.object({ type: z.literal("tool-call"), step: z.number().int(), textEnd: z.number().int(), call: toolCall }),
  /** The message as it was stored. */
  z.object({ type: z.literal("finish"), message }),
]);
export type GenerationPart = z.infer<typeof generationPart>;

export const conversationEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("changed"), conversation: conversationSummary }),
  z.object({ type: z.literal("removed"), conversationId: z.string() }),
]);
export type ConversationEvent = z.infer<typeof conversationEvent>;

/** How full the context would be, tokens. */
export const contextMeasure = z.object({ usedTokens: z.number(), contextSize: z.number(), replyTokens: z.number() });
export type ContextMeasure = z.infer<typeof contextMeasure>;
