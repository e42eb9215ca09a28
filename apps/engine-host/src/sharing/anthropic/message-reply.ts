import type { Citation, RetrievalReport } from "@corral/protocol";
import type { GenerationStatistics } from "../../engines/engine.ts";
import { eventFrame } from "../event-stream.ts";
import type { OrderPart } from "../generation.ts";
import { progressComment } from "../openai/progress-comment.ts";

/** What one reply's objects repeat. */
export interface MessageFrame {
  id: string;
  /** As the request named it. */
  model: string;
}

type Part<Type extends OrderPart["type"]> = Extract<OrderPart, { type: Type }>;

interface TextBlock {
  type: "text";
  text: string;
  citations: object[] | null;
}

interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: unknown;
}

/** Tokens that were in the KV cache are counted apart, as Anthropic does. */
function usageOf({ promptTokens, cachedTokens, completionTokens }: GenerationStatistics) {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
  };
}

/** Why it ended, in Anthropic's words. */
function endOf({ reason, stopText }: Part<"end">) {
  const words = { length: "max_tokens", "tool-calls": "tool_use", stop: "end_turn" } as const;
  return {
    stop_reason: reason === "stop" && stopText !== null ? "stop_sequence" : words[reason],
    stop_sequence: reason === "stop" ? stopText : null,
  };
}

/** Numbers the documents of one reply in the order they are cited. */
class Citations {
  readonly #documents: string[] = [];

  /** The passage as Anthropic cites documents: pages where there are any, else characters; and all of it besides. */
  describe({ number, documentId, document, page, quote, chunkId, spans, support }: Citation) {
    if (!this.#documents.includes(documentId)) this.#documents.push(documentId);
    const common = {
      cited_text: quote,
      document_index: this.#documents.indexOf(documentId),
      document_title: document,
      file_id: documentId,
    };
    const span = spans[0] ?? { start: 0, end: quote.length };
    return {
      ...(page === null
        ? { type: "char_location", ...common, start_char_index: span.start, end_char_index: span.end }
        : // The last page is not included.
          { type: "page_location", ...common, start_page_number: page, end_page_number: page + 1 }),
      corral: { number, document_id: documentId, document, page, quote, chunk_id: chunkId, support },
    };
  }
}

/** The arguments as the object they are; a model without a grammar could have written anything. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { invalid_json: text };
  }
}

/** The whole reply as one object. */
export async function wholeMessage(frame: MessageFrame, parts: AsyncIterable<OrderPart>): Promise<object> {
  const content: (TextBlock | ToolUseBlock)[] = [];
  const citations = new Citations();
  let retrieval: RetrievalReport | null = null;
  let end: ReturnType<typeof endOf> = { stop_reason: "end_turn", stop_sequence: null };
  let usage: object | null = null;
  const textBlock = (): TextBlock => {
    const last = content.at(-1);
    if (last?.type === "text") return last;
    const block: TextBlock = { type: "text", text: "", citations: null };
    content.push(block);
    return block;
  };
  for await (const part of parts) {
    if (part.type === "text") {
      textBlock().text += part.text;
    } else if (part.type === "citation") {
      const block = textBlock();
      block.citations = [...(block.citations ?? []), citations.describe(part.citation)];
    } else if (part.type === "tool-call") {
      const { id, name, arguments: text } = part.call;
      content.push({ type: "tool_use", id, name, input: inputOf(text) });
    } else if (part.type === "retrieval") {
      retrieval = part.report;
    } else if (part.type === "end") {
      end = endOf(part);
      usage = usageOf(part.statistics);
    }
  }
  return { ...messageOf(frame), content, ...end, usage, ...(retrieval === null ? {} : { corral: { retrieval } }) };
}

function messageOf(frame: MessageFrame) {
  return { ...frame, type: "message", role: "assistant" };
}

/** The reply as the events of a stream. */
export async function* messageFrames(
  frame: MessageFrame,
  parts: AsyncIterable<OrderPart>,
): AsyncGenerator<string, void> {
  const citations = new Citations();
  let begun = false;
  /** Index of the next block, and what kind is open. */
  let index = 0;
  let isTextOpen = false;
  let retrieval: RetrievalReport | null = null;

  const begin = function* (inputTokens: number) {
    if (begun) return;
    begun = true;
    const usage = {
      input_tokens: inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 0,
    };
    const message = { ...messageOf(frame), content: [], stop_reason: null, stop_sequence: null, usage };
    yield eventFrame("message_start", { type: "message_start", message });
  };
  const openText = function* () {
    if (isTextOpen) return;
    isTextOpen = true;
    const content_block = { type: "text", text: "" };
    yield eventFrame("content_block_start", { type: "content_block_start", index, content_block });
  };
  const closeBlock = function* () {
    yield eventFrame("content_block_stop", { type: "content_block_stop", index });
    index++;
  };
  const closeText = function* () {
    if (isTextOpen) yield* closeBlock();
    isTextOpen = false;
  };
  const delta = (change: object) =>
    eventFrame("content_block_delta", { type: "content_block_delta", index, delta: change });

  for await (const part of parts) {
    const progress = progressComment(part);
    if (progress !== null) yield progress;
    if (part.type === "retrieval") retrieval = part.report;
    if (part.type === "prefill") yield* begin(part.total);
    if (!("choice" in part)) continue;
    yield* begin(0);
    if (part.type === "text") {
      yield* openText();
      yield delta({ type: "text_delta", text: part.text });
    } else if (part.type === "citation") {
      yield* openText();
      yield delta({ type: "citations_delta", citation: citations.describe(part.citation) });
    } else if (part.type === "tool-call") {
      yield* closeText();
      const { id, name, arguments: text } = part.call;
      const content_block = { type: "tool_use", id, name, input: {} };
      yield eventFrame("content_block_start", { type: "content_block_start", index, content_block });
      yield delta({ type: "input_json_delta", partial_json: text });
      yield* closeBlock();
    } else {
      yield* closeText();
      const corral = retrieval === null ? {} : { corral: { retrieval } };
      const usage = usageOf(part.statistics);
      yield eventFrame("message_delta", { type: "message_delta", delta: endOf(part), usage, ...corral });
      yield eventFrame("message_stop", { type: "message_stop" });
    }
  }
}
