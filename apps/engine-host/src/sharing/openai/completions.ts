import { z } from "zod";
import type { TokenLogprob } from "../../engines/engine.ts";
import type { ApiCall } from "../api-call.ts";
import { invalid } from "../api-error.ts";
import { dataFrame } from "../event-stream.ts";
import { carryOut, type Order, type OrderPart } from "../generation.ts";
import { mergeStreams } from "../merge-streams.ts";
import { chooseModel, corralField } from "../model-choice.ts";
import { boundedList, parseRequest, readJson, type RefusedField } from "../request-body.ts";
import { completionLogprobs } from "./logprobs.ts";
import { progressComment } from "./progress-comment.ts";
import { replyStream } from "./reply-stream.ts";
import { checkStreamOptions, mostChoices, samplingFields, samplingOf } from "./sampling-fields.ts";
import { addChoice, noTokens, usageOf, type TokenCount } from "./usage.ts";

/** OpenAI's own default, tokens. */
const defaultTokens = 16;

const completionRequest = z.object({
  model: z.string().min(1).max(400),
  prompt: z.union([z.string(), boundedList(z.string(), mostChoices, 1)], {
    error: `a text or a list of 1 to ${mostChoices} texts; lists of token ids are not supported`,
  }),
  ...samplingFields,
  best_of: z.number().int().min(1).max(mostChoices).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.number().int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  corral: corralField.nullish(),
});
type CompletionRequest = z.infer<typeof completionRequest>;

const refusedFields: Record<string, RefusedField> = {
  suffix: { because: "models here only continue a text.", unless: [""] },
  response_format: { because: "use /v1/chat/completions." },
  tools: { because: "use /v1/chat/completions." },
  grammar: { because: "use response_format of /v1/chat/completions." },
};

/** POST /v1/completions: continues raw text, without any chat format. */
export async function completions(call: ApiCall): Promise<Response> {
  const request = parseRequest(completionRequest, await readJson(call.request), refusedFields);
  checkStreamOptions(request);
  const prompts = typeof request.prompt === "string" ? [request.prompt] : request.prompt;
  const choices = request.n ?? 1;
  if (prompts.length * choices > mostChoices) {
    throw invalid("n", `A request may have at most ${mostChoices} choices over all its prompts.`);
  }
  if (request.best_of != null && request.best_of !== choices) {
    throw invalid("best_of", "best_of is not supported: every choice is returned, as n says.", "unsupported_parameter");
  }
  if (request.echo && request.logprobs != null) {
    throw invalid("echo", "echo is not supported together with logprobs: a prompt's own are not computed.");
  }
  const choice = await chooseModel(request.model, request.corral, call.services);
  const order = {
    ...choice,
    client: call.clientFor(request.corral?.priority ?? null),
    maxTokens: request.max_tokens ?? defaultTokens,
    choices,
    wishes: { ...samplingOf(request), ...(request.logprobs == null ? {} : { logprobs: request.logprobs }) },
  };
  const parts = ofAllPrompts(prompts, order, call);
  const frame = {
    id: call.newId("cmpl-"),
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    system_fingerprint: call.fingerprint,
  };
  const prefix = (at: number) => (request.echo ? (prompts[Math.floor(at / choices)] ?? "") : "");
  if (request.stream === true) return replyStream(call, frames(frame, parts, prefix, request));
  return Response.json(await whole(frame, parts, prefix, request));
}

/** Each prompt is an order of its own; their choices are numbered through. */
function ofAllPrompts(prompts: string[], order: Omit<Order, "prompt">, call: ApiCall): AsyncIterable<OrderPart> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([call.signal, stopping.signal]);
  const streams = prompts.map(async function* (prompt, at): AsyncGenerator<OrderPart, void> {
    for await (const part of carryOut({ ...order, prompt }, call.services, signal)) {
      yield "choice" in part ? { ...part, choice: part.choice + at * order.choices } : part;
    }
  });
  return mergeStreams(streams, () => stopping.abort());
}

async function whole(
  frame: object,
  parts: AsyncIterable<OrderPart>,
  prefix: (choice: number) => string,
  request: CompletionRequest,
): Promise<object> {
  const choices: { text: string; logprobs: TokenLogprob[]; finish: string | null }[] = [];
  const counts: TokenCount[] = [];
  for await (const part of parts) {
    if (!("choice" in part)) continue;
    const choice = (choices[part.choice] ??= { text: prefix(part.choice), logprobs: [], finish: null });
    if (part.type === "text") {
      choice.text += part.text;
      choice.logprobs.push(...part.logprobs);
    } else if (part.type === "end") {
      choice.finish = part.reason;
      count(counts, part, request);
    }
  }
  return {
    ...frame,
    choices: choices.map(({ text, logprobs, finish }, index) => ({
      index,
      text,
      logprobs: request.logprobs == null ? null : completionLogprobs(logprobs, 0),
      finish_reason: finish,
    })),
    usage: usageOf(sumOf(counts)),
  };
}

async function* frames(
  frame: object,
  parts: AsyncIterable<OrderPart>,
  prefix: (choice: number) => string,
  request: CompletionRequest,
): AsyncGenerator<string, void> {
  const includeUsage = request.stream_options?.include_usage === true;
  const counts: TokenCount[] = [];
  const written: number[] = [];
  const chunk = (index: number, text: string, logprobs: object | null, finish: string | null) =>
    dataFrame({
      ...frame,
      choices: [{ index, text, logprobs, finish_reason: finish }],
      ...(includeUsage ? { usage: null } : {}),
    });
  for await (const part of parts) {
    const progress = progressComment(part);
    if (progress !== null) yield progress;
    if (!("choice" in part)) continue;
    const at = part.choice;
    if (written[at] === undefined) {
      written[at] = 0;
      if (prefix(at) !== "") yield chunk(at, prefix(at), null, null);
    }
    if (part.type === "text") {
      const logprobs = request.logprobs == null ? null : completionLogprobs(part.logprobs, written[at]);
      written[at] += part.text.length;
      yield chunk(at, part.text, logprobs, null);
    } else if (part.type === "end") {
      count(counts, part, request);
      yield chunk(at, "", null, part.reason);
    }
  }
  if (counts.length === 0) return;
  if (includeUsage) yield dataFrame({ ...frame, choices: [], usage: usageOf(sumOf(counts)) });
  yield "data: [DONE]\n\n";
}

/** Choices of one prompt share its tokens. */
function count(counts: TokenCount[], part: Extract<OrderPart, { type: "end" }>, { n }: CompletionRequest): void {
  const prompt = Math.floor(part.choice / (n ?? 1));
  counts[prompt] = addChoice(counts[prompt] ?? noTokens, part.statistics);
}

function sumOf(counts: TokenCount[]): TokenCount {
  // The list has holes while some prompts have not ended.
  return Object.values(counts).reduce(
    (sum, each) => ({
      promptTokens: sum.promptTokens + each.promptTokens,
      cachedTokens: sum.cachedTokens + each.cachedTokens,
      completionTokens: sum.completionTokens + each.completionTokens,
    }),
    noTokens,
  );
}
