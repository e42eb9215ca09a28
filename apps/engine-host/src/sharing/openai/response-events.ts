import type { Citation } from "@corral/protocol";
import type { EngineToolCall, TokenLogprob } from "../../engines/engine.ts";
import type { OrderPart } from "../generation.ts";
import { responseAnnotation } from "./annotations.ts";
import { noTokens, type TokenCount } from "./usage.ts";

/** A response as far as it is written. Everything the request said is in it already. */
export interface ResponseObject {
  id: string;
  object: "response";
  status: "in_progress" | "completed" | "incomplete" | "failed";
  error: { code: string; message: string } | null;
  incomplete_details: { reason: "max_output_tokens" } | null;
  output: OutputItem[];
  usage: object | null;
  completed_at: number | null;
  [field: string]: unknown;
}

interface OutputText {
  type: "output_text";
  text: string;
  annotations: ReturnType<typeof responseAnnotation>[];
  logprobs: ReturnType<typeof outputLogprobs>;
}

interface MessageItem {
  id: string;
  type: "message";
  role: "assistant";
  status: "in_progress" | "completed" | "incomplete";
  content: OutputText[];
}

interface CallItem {
  id: string;
  type: "function_call";
  call_id: string;
  name: string;
  arguments: string;
  status: "in_progress" | "completed";
}

export type OutputItem = MessageItem | CallItem;

export interface ResponseEvent {
  type: string;
  sequence_number: number;
  [field: string]: unknown;
}

/** Writes a response from an order's parts, telling each step as the event OpenAI has for it. */
export class ResponseWriter {
  readonly response: ResponseObject;
  readonly #newId: (prefix: string) => string;
  #sequence = 0;
  /** The message that is being written, if any. */
  #open: MessageItem | null = null;

  constructor(response: ResponseObject, newId: (prefix: string) => string) {
    this.response = response;
    this.#newId = newId;
  }

  *begin(): Generator<ResponseEvent> {
    yield this.#event("response.created", { response: this.#snapshot() });
    yield this.#event("response.in_progress", { response: this.#snapshot() });
  }

  *take(part: OrderPart): Generator<ResponseEvent> {
    if (part.type === "text") yield* this.#text(part.text, part.logprobs);
    else if (part.type === "citation") yield* this.#citation(part.citation);
    else if (part.type === "tool-call") yield* this.#call(part.call);
    else if (part.type === "retrieval") this.response["corral"] = { retrieval: part.report };
    else if (part.type === "end") yield* this.#end(part);
  }

  /** The reply broke. */
  *fail(code: string, message: string): Generator<ResponseEvent> {
    this.response.status = "failed";
    this.response.error = { code, message };
    yield this.#event("response.failed", { response: this.#snapshot() });
    yield this.#event("error", { code, message, param: null });
  }

  *#text(text: string, logprobs: TokenLogprob[]): Generator<ResponseEvent> {
    const message = yield* this.#message();
    const content = message.content[0]!;
    const told = outputLogprobs(logprobs);
    content.text += text;
    content.logprobs.push(...told);
    yield this.#event("response.output_text.delta", { ...this.#place(message), delta: text, logprobs: told });
  }

  *#citation(citation: Citation): Generator<ResponseEvent> {
    const message = yield* this.#message();
    const content = message.content[0]!;
    const annotation = responseAnnotation(citation, content.text);
    content.annotations.push(annotation);
    yield this.#event("response.output_text.annotation.added", {
      ...this.#place(message),
      annotation_index: content.annotations.length - 1,
      annotation,
    });
  }

  *#call({ id, name, arguments: text }: EngineToolCall): Generator<ResponseEvent> {
    yield* this.#closeMessage("completed");
    const item: CallItem = {
      id: this.#newId("fc_"),
      type: "function_call",
      call_id: id,
      name,
      arguments: "",
      status: "in_progress",
    };
    const output_index = this.response.output.push(item) - 1;
    yield this.#event("response.output_item.added", { output_index, item: { ...item } });
    item.arguments = text;
    item.status = "completed";
    const place = { item_id: item.id, output_index };
    yield this.#event("response.function_call_arguments.delta", { ...place, delta: text });
    yield this.#event("response.function_call_arguments.done", { ...place, name, arguments: text });
    yield this.#event("response.output_item.done", { output_index, item: { ...item } });
  }

  *#end({ reason, statistics }: Extract<OrderPart, { type: "end" }>): Generator<ResponseEvent> {
    // A reply of nothing is an empty message, not none.
    if (this.response.output.length === 0) yield* this.#message();
    const isCut = reason === "length";
    yield* this.#closeMessage(isCut ? "incomplete" : "completed");
    this.response.status = isCut ? "incomplete" : "completed";
    this.response.incomplete_details = isCut ? { reason: "max_output_tokens" } : null;
    this.response.usage = responseUsage(statistics);
    this.response.completed_at = Math.floor(Date.now() / 1000);
    yield this.#event(isCut ? "response.incomplete" : "response.completed", { response: this.#snapshot() });
  }

  /** The message being written; begins one where there is none. */
  *#message(): Generator<ResponseEvent, MessageItem> {
    if (this.#open !== null) return this.#open;
    const item: MessageItem = {
      id: this.#newId("msg_"),
      type: "message",
      role: "assistant",
      status: "in_progress",
      content: [],
    };
    const output_index = this.response.output.push(item) - 1;
    yield this.#event("response.output_item.added", { output_index, item: structuredClone(item) });
    item.content.push({ type: "output_text", text: "", annotations: [], logprobs: [] });
    this.#open = item;
    yield this.#event("response.content_part.added", {
      ...this.#place(item),
      part: structuredClone(item.content[0]),
    });
    return item;
  }

  *#closeMessage(status: "completed" | "incomplete"): Generator<ResponseEvent> {
    const item = this.#open;
    if (item === null) return;
    this.#open = null;
    item.status = status;
    const { text, logprobs } = item.content[0]!;
    const place = this.#place(item);
    yield this.#event("response.output_text.done", { ...place, text, logprobs });
    yield this.#event("response.content_part.done", { ...place, part: structuredClone(item.content[0]) });
    yield this.#event("response.output_item.done", {
      output_index: place.output_index,
      item: structuredClone(item),
    });
  }

  #place(item: MessageItem) {
    return { item_id: item.id, output_index: this.response.output.indexOf(item), content_index: 0 };
  }

  #event(type: string, fields: object): ResponseEvent {
    return { type, sequence_number: this.#sequence++, ...fields };
  }

  /** What is sent must not change when more is written. */
  #snapshot(): ResponseObject {
    return structuredClone(this.response);
  }
}

function outputLogprobs(tokens: TokenLogprob[]) {
  return tokens.map(({ token, bytes, logprob, top }) => ({ token, bytes, logprob, top_logprobs: top }));
}

/** Usage as responses have it. */
function responseUsage({ promptTokens, cachedTokens, completionTokens }: TokenCount = noTokens) {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
