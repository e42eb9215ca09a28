import { z } from "zod";
import type { EngineMessage, GenerateRequest } from "../../engines/engine.ts";
import { checkJsonSchema } from "../../engines/request-checks.ts";
import { invalid } from "../api-error.ts";
import { corralField } from "../model-choice.ts";
import { boundedList, parseRequest, type RefusedField } from "../request-body.ts";
import { engineTools, functionName, jsonObject, mostMessages, mostTools, strictness } from "./chat-request.ts";
import { mostTokens, samplingFields, samplingOf } from "./sampling-fields.ts";

const part = z.object({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() });
const content = z.union([z.string(), boundedList(part, 1_024)]);

const item = z.union([
  z.object({
    type: z.literal("message").optional(),
    role: z.enum(["user", "assistant", "system", "developer"]),
    content,
  }),
  z.object({
    type: z.literal("function_call"),
    call_id: z.string().min(1).max(200),
    name: z.string().min(1).max(128),
    arguments: z.string(),
  }),
  z.object({
    type: z.literal("function_call_output"),
    call_id: z.string().min(1).max(200),
    output: content,
  }),
  // Thoughts of other models: nothing here reads them.
  z.object({ type: z.literal("reasoning") }),
]);
type Item = z.infer<typeof item>;

const tool = z.object({
  type: z.literal("function"),
  name: functionName,
  description: z.string().max(32_768).nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});

const format = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string().max(64).optional(),
    description: z.string().nullish(),
    schema: jsonObject,
    strict: z.boolean().nullish(),
  }),
]);

const responsesRequest = z.object({
  model: z.string().min(1).max(400),
  input: z.union([z.string(), boundedList(z.looseObject({ type: z.string().optional() }), mostMessages, 1)]),
  instructions: z.string().nullish(),
  previous_response_id: z.string().min(1).max(100).nullish(),
  store: z.boolean().nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((entries) => Object.keys(entries).length <= 16, "at most 16 entries")
    .nullish(),
  temperature: samplingFields.temperature,
  top_p: samplingFields.top_p,
  top_k: samplingFields.top_k,
  min_p: samplingFields.min_p,
  seed: samplingFields.seed,
  frequency_penalty: samplingFields.frequency_penalty,
  presence_penalty: samplingFields.presence_penalty,
  stop: samplingFields.stop,
  user: samplingFields.user,
  max_output_tokens: z.number().int().min(1).max(mostTokens).nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  include: boundedList(z.string().max(100), 32).nullish(),
  stream: z.boolean().nullish(),
  tools: boundedList(z.looseObject({ type: z.string() }), mostTools).nullish(),
  tool_choice: z
    .union([z.enum(["auto", "none", "required"]), z.object({ type: z.literal("function"), name: functionName })])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.object({ format: format.nullish() }).nullish(),
  truncation: z.literal("disabled", 'truncation can only be "disabled": nothing is ever cut here').nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).nullish(),
  corral: corralField.nullish(),
});
export type ResponsesRequest = z.infer<typeof responsesRequest>;

const refusedFields: Record<string, RefusedField> = {
  background: { because: "ask with stream, or wait for the answer.", unless: [false] },
  conversation: { because: "use previous_response_id, or send the turns." },
  prompt: { because: "there are no prompt templates here; send input." },
  context_management: { because: "nothing is ever cut here; send what the model shall read." },
  moderation: { because: "there is no moderation model here." },
  image: { because: "models here write text only." },
};

/** @throws ApiError naming what is wrong */
export function readResponsesRequest(body: unknown): ResponsesRequest {
  return parseRequest(responsesRequest, body, refusedFields);
}

/** The conversation in the input. @param earlier what it goes on from @throws ApiError */
export function inputMessages(input: ResponsesRequest["input"], earlier: EngineMessage[]): EngineMessage[] {
  const messages = [...earlier];
  if (typeof input === "string") return [...messages, { role: "user", text: input }];
  const calls = new Set(messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)));
  for (const [at, given] of input.entries()) {
    const where = `input[${at}]`;
    const entry = readItem(given, where);
    if (entry.type === "reasoning") continue;
    if (entry.type === "function_call") {
      const call = { id: entry.call_id, name: entry.name, arguments: entry.arguments };
      calls.add(call.id);
      const last = messages.at(-1);
      // A turn's text and its calls are one message for a model.
      if (last?.role === "assistant") messages[messages.length - 1] = withCall(last, call);
      else messages.push({ role: "assistant", text: "", toolCalls: [call] });
    } else if (entry.type === "function_call_output") {
      if (!calls.has(entry.call_id)) {
        throw invalid(`${where}.call_id`, `No call of the id "${entry.call_id}" comes before its output.`);
      }
      messages.push({ role: "tool", text: textOf(entry.output, `${where}.output`), toolCallId: entry.call_id });
    } else {
      const role = entry.role === "developer" ? "system" : entry.role;
      const text = textOf(entry.content, `${where}.content`);
      const last = messages.at(-1);
      // Haystack sends a turn's calls before its text.
      if (role === "assistant" && last?.role === role && last.text === "")
        messages[messages.length - 1] = { ...last, text };
      else messages.push({ role, text });
    }
  }
  return messages;
}

/** An assistant's turn with one more call. */
export function withCall(message: EngineMessage, call: NonNullable<EngineMessage["toolCalls"]>[number]): EngineMessage {
  return { ...message, toolCalls: [...(message.toolCalls ?? []), call] };
}

const itemTypes = ["message", "function_call", "function_call_output", "reasoning"];

function readItem(given: { type?: string | undefined }, where: string): Item {
  if (given.type !== undefined && !itemTypes.includes(given.type)) {
    throw invalid(`${where}.type`, `${where} is of type ${given.type.slice(0, 64)}, which is not supported here.`);
  }
  const result = item.safeParse(given);
  if (result.success) return result.data;
  throw invalid(where, `${where} is not a ${given.type ?? "message"} as this API has it.`);
}

function textOf(given: z.infer<typeof content>, where: string): string {
  if (typeof given === "string") return given;
  return given
    .map(({ type, text, refusal }, at) => {
      if (text !== undefined && ["input_text", "output_text", "text"].includes(type)) return text;
      if (type === "refusal" && refusal !== undefined) return refusal;
      throw invalid(`${where}[${at}]`, `${where}[${at}] is of type ${type.slice(0, 64)}: models here read text only.`);
    })
    .join("\n");
}

/** What the request wishes besides its messages. @throws ApiError */
export function responseWishes(request: ResponsesRequest): Partial<GenerateRequest> {
  const jsonSchema = schemaOf(request.text?.format ?? null);
  const wantsLogprobs = request.include?.includes("message.output_text.logprobs") || (request.top_logprobs ?? 0) > 0;
  return {
    ...samplingOf(request),
    ...toolsOf(request),
    ...(wantsLogprobs ? { logprobs: request.top_logprobs ?? 0 } : {}),
    ...(jsonSchema === null ? {} : { jsonSchema }),
  };
}

function schemaOf(wanted: z.infer<typeof format> | null): Record<string, unknown> | null {
  if (wanted === null || wanted.type === "text") return null;
  if (wanted.type === "json_object") return { type: "object" };
  checkJsonSchema(wanted.schema, "text.format.schema");
  return wanted.schema;
}

function toolsOf({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ResponsesRequest) {
  if (tools == null || tools.length === 0) {
    if (choice == null || choice === "none" || choice === "auto") return {};
    throw invalid("tool_choice", "tool_choice is only allowed when tools are given.");
  }
  const functions = tools.map((given, at) => {
    if (given.type !== "function") {
      const because =
        given.type === "file_search" ? "name collections in corral.collections instead" : "only function tools are";
      throw invalid(`tools[${at}].type`, `The tool ${given.type.slice(0, 64)} is not supported: ${because}.`);
    }
    return parseRequest(tool, given);
  });
  return engineTools(
    functions.map(({ name, description, parameters, strict }) => ({
      name,
      description: description ?? "",
      parameters: parameters ?? { type: "object", properties: {} },
      ...strictness(strict),
    })),
    typeof choice === "object" && choice !== null ? { name: choice.name } : (choice ?? undefined),
    parallel ?? undefined,
  );
}
