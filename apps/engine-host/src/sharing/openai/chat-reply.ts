import type { RetrievalReport } from "@corral/protocol";
import type { EngineToolCall, TokenLogprob } from "../../engines/engine.ts";
import type { OrderPart } from "../generation.ts";
import { dataFrame } from "../event-stream.ts";
import { chatAnnotation } from "./annotations.ts";
import { chatLogprobs } from "./logprobs.ts";
import { progressComment } from "./progress-comment.ts";
import { addChoice, noTokens, usageOf, type TokenCount } from "./usage.ts";

/** What every object of one reply repeats. */
export interface ChatReplyFrame {
  id: string;
  /** Unix seconds. */
  created: number;
  /** As the request named it. */
  model: string;
  system_fingerprint: string;
}

type FinishReason = "stop" | "length" | "tool_calls";

function finishReason(reason: Extract<OrderPart, { type: "end" }>["reason"]): FinishReason {
  return reason === "tool-calls" ? "tool_calls" : reason;
}

interface ChoiceSoFar {
  text: string;
  logprobs: TokenLogprob[];
  calls: EngineToolCall[];
  annotations: ReturnType<typeof chatAnnotation>[];
  finish: FinishReason | null;
}

/** The whole reply as one object. @param wantsLogprobs the request asked for them */
export async function wholeChatReply(
  frame: ChatReplyFrame,
  parts: AsyncIterable<OrderPart>,
  wantsLogprobs: boolean,
): Promise<object> {
  const choices: ChoiceSoFar[] = [];
  const choiceOf = (at: number) =>
    (choices[at] ??= { text: "", logprobs: [], calls: [], annotations: [], finish: null });
  let count: TokenCount = noTokens;
  let retrieval: RetrievalReport | null = null;
  for await (const part of parts) {
    if (part.type === "text") {
      const choice = choiceOf(part.choice);
      choice.text += part.text;
      choice.logprobs.push(...part.logprobs);
    } else if (part.type === "tool-call") {
      choiceOf(part.choice).calls.push(part.call);
    } else if (part.type === "citation") {
      const choice = choiceOf(part.choice);
      choice.annotations.push(chatAnnotation(part.citation, choice.text));
    } else if (part.type === "retrieval") {
      retrieval = part.report;
    } else if (part.type === "end") {
      choiceOf(part.choice).finish = finishReason(part.reason);
      count = addChoice(count, part.statistics);
    }
  }
  return {
    ...frame,
    object: "chat.completion",
    choices: choices.map(({ text, logprobs, calls, annotations, finish }, index) => ({
      index,
      message: {
        role: "assistant",
        content: text === "" && calls.length > 0 ? null : text,
        refusal: null,
        annotations,
        ...(calls.length > 0 ? { tool_calls: calls.map(toolCall) } : {}),
      },
      logprobs: wantsLogprobs ? chatLogprobs(logprobs) : null,
      finish_reason: finish,
    })),
    usage: usageOf(count),
    ...(retrieval === null ? {} : { corral: { retrieval } }),
  };
}

function toolCall({ id, name, arguments: text }: EngineToolCall) {
  return { id, type: "function", function: { name, arguments: text } };
}

/** The reply as the frames of a stream, up to "[DONE]". */
export async function* chatReplyFrames(
  frame: ChatReplyFrame,
  parts: AsyncIterable<OrderPart>,
  options: { includeUsage: boolean; wantsLogprobs: boolean },
): AsyncGenerator<string, void> {
  const base = { ...frame, object: "chat.completion.chunk" };
  let retrieval: RetrievalReport | null = null;
  const chunk = (index: number, delta: object, finish: FinishReason | null = null, logprobs: object | null = null) =>
    dataFrame({
      ...base,
      choices: [{ index, delta, logprobs, finish_reason: finish }],
      ...(options.includeUsage ? { usage: null } : {}),
      ...(finish !== null && retrieval !== null ? { corral: { retrieval } } : {}),
    });
  const texts: string[] = [];
  const calls: number[] = [];
  let count: TokenCount = noTokens;
  /** The first chunk of a choice says who speaks. */
  const opening = function* (choice: number) {
    if (texts[choice] !== undefined) return;
    texts[choice] = "";
    calls[choice] = 0;
    yield chunk(choice, { role: "assistant", content: "", refusal: null });
  };
  for await (const part of parts) {
    const progress = progressComment(part);
    if (progress !== null) yield progress;
    if (part.type === "retrieval") retrieval = part.report;
    if (!("choice" in part)) continue;
    yield* opening(part.choice);
    if (part.type === "text") {
      texts[part.choice] += part.text;
      const logprobs = options.wantsLogprobs ? chatLogprobs(part.logprobs) : null;
      yield chunk(part.choice, { content: part.text }, null, logprobs);
    } else if (part.type === "citation") {
      yield chunk(part.choice, { annotations: [chatAnnotation(part.citation, texts[part.choice]!)] });
    } else if (part.type === "tool-call") {
      const index = calls[part.choice]!++;
      const { function: called, ...call } = toolCall(part.call);
      yield chunk(part.choice, { tool_calls: [{ index, ...call, function: { name: called.name, arguments: "" } }] });
      yield chunk(part.choice, { tool_calls: [{ index, function: { arguments: called.arguments } }] });
    } else {
      count = addChoice(count, part.statistics);
      yield chunk(part.choice, {}, finishReason(part.reason));
    }
  }
  // Cut short: the connection is gone, and nobody should take this for a whole reply.
  if (count === noTokens) return;
  if (options.includeUsage) yield dataFrame({ ...base, choices: [], usage: usageOf(count) });
  yield "data: [DONE]\n\n";
}
