import { z } from "zod";
import type { EngineMessage, EngineTool, GenerateRequest, ToolChoice } from "../../engines/engine.ts";
import { checkJsonSchema, checkTools } from "../../engines/request-checks.ts";
import { invalid } from "../api-error.ts";
import { corralField } from "../model-choice.ts";
import { boundedList, parseRequest, type RefusedField } from "../request-body.ts";
import { checkStreamOptions, mostTokens, samplingFields, samplingOf } from "./sampling-fields.ts";

/** Messages of one request; a conversation of more would not fit any context here. */
export const mostMessages = 2_048;
/** OpenAI's own limit. */
export const mostTools = 128;

const textPart = z.object({ type: z.literal("text"), text: z.string() });
const otherPart = z.object({ type: z.string() });
const content = z.union([z.string(), boundedList(z.union([textPart, otherPart]), 1_024)]);

const toolCall = z.object({
  id: z.string().min(1).max(200),
  type: z.literal("function").optional(),
  function: z.object({ name: z.string().min(1).max(128), arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.object({ role: z.enum(["system", "developer"]), content }),
  z.object({ role: z.literal("user"), content }),
  z.object({
    role: z.literal("assistant"),
    content: content.nullish(),
    tool_calls: boundedList(toolCall, mostTools).nullish(),
  }),
  z.object({ role: z.literal("tool"), content, tool_call_id: z.string().min(1).max(200) }),
]);

/** Names as OpenAI allows them. */
export const functionName = z
  .string()
  .regex(/^[\w-]{1,64}$/, "a name of 1 to 64 letters, digits, underscores and dashes");
export const jsonObject = z.record(z.string(), z.unknown());

const tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: functionName,
    description: z.string().max(32_768).nullish(),
    parameters: jsonObject.nullish(),
    strict: z.boolean().nullish(),
  }),
});

const toolChoice = z.union([
  z.enum(["auto", "none", "required"]),
  z.object({ type: z.literal("function"), function: z.object({ name: functionName }) }),
]);

const responseFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: z.string().max(64).optional(),
      description: z.string().nullish(),
      schema: jsonObject.optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const chatRequest = z.object({
  model: z.string().min(1).max(400),
  messages: boundedList(message, mostMessages, 1),
  ...samplingFields,
  max_completion_tokens: z.number().int().min(1).max(mostTokens).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  tools: boundedList(tool, mostTools).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).nullish(),
  corral: corralField.nullish(),
});
export type ChatRequest = z.infer<typeof chatRequest>;

const oldFunctions = { because: "use tools instead." };
const refusedFields: Record<string, RefusedField> = {
  functions: oldFunctions,
  function_call: { ...oldFunctions, unless: ["none"] },
  audio: { because: "models here write text only." },
  modalities: { because: "models here write text only; leave it out." },
  prediction: { because: "leave it out; drafting is done by the host itself." },
  web_search_options: { because: "nothing here reaches the internet." },
  moderation: { because: "there is no moderation model here." },
  logits_processors: { because: "requests carry no code." },
  guided_regex: { because: "use response_format." },
  guided_grammar: { because: "use response_format." },
  grammar: { because: "use response_format." },
};

/** ["text"] asks for nothing special. */
function withoutPlainModalities(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  const { modalities, ...rest } = body as { modalities?: unknown };
  return Array.isArray(modalities) && modalities.length === 1 && modalities[0] === "text" ? rest : body;
}

/** @throws ApiError naming what is wrong */
export function readChatRequest(body: unknown): ChatRequest {
  const request = parseRequest(chatRequest, withoutPlainModalities(body), refusedFields);
  checkStreamOptions(request);
  if (request.top_logprobs != null && request.logprobs !== true) {
    throw invalid("top_logprobs", "top_logprobs needs logprobs to be true.");
  }
  return request;
}

/** The conversation as the engine takes it. @throws ApiError */
export function engineMessages(messages: ChatRequest["messages"]): EngineMessage[] {
  const calls = new Set<string>();
  return messages.map((given, at): EngineMessage => {
    const where = `messages[${at}]`;
    const text = textOf(given.content ?? "", `${where}.content`);
    switch (given.role) {
      case "system":
      case "developer":
        return { role: "system", text };
      case "user":
        return { role: "user", text };
      case "assistant": {
        const toolCalls = (given.tool_calls ?? []).map(({ id, function: called }) => ({ id, ...called }));
        for (const { id } of toolCalls) calls.add(id);
        return { role: "assistant", text, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
      }
      case "tool":
        if (!calls.has(given.tool_call_id)) {
          throw invalid(
            `${where}.tool_call_id`,
            `${where} answers the call "${given.tool_call_id}", which no assistant message before it made.`,
          );
        }
        return { role: "tool", text, toolCallId: given.tool_call_id };
    }
  });
}

function textOf(given: z.infer<typeof content>, where: string): string {
  if (typeof given === "string") return given;
  return given
    .map((part, at) => {
      if (part.type === "text" && "text" in part) return part.text;
      throw invalid(`${where}[${at}]`, `${where}[${at}] is a part of type ${part.type}: models here read text only.`);
    })
    .join("\n");
}

/** What the request wishes besides its messages. @throws ApiError */
export function wishesOf(request: ChatRequest): Partial<GenerateRequest> {
  const format = request.response_format;
  const jsonSchema = format == null ? undefined : schemaOf(format);
  return {
    ...samplingOf(request),
    ...toolsOf(request),
    ...(request.logprobs ? { logprobs: request.top_logprobs ?? 0 } : {}),
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
  };
}

function schemaOf(format: z.infer<typeof responseFormat>): Record<string, unknown> | undefined {
  if (format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "object" };
  const { schema } = format.json_schema;
  if (schema === undefined) {
    throw invalid("response_format.json_schema.schema", "response_format.json_schema.schema is missing.");
  }
  checkJsonSchema(schema, "response_format.json_schema.schema");
  return schema;
}

function toolsOf({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ChatRequest): Partial<GenerateRequest> {
  if (tools == null || tools.length === 0) {
    if (choice == null || choice === "none" || choice === "auto") return {};
    throw invalid("tool_choice", "tool_choice is only allowed when tools are given.");
  }
  return engineTools(
    tools.map(({ function: { name, description, parameters, strict } }) => ({
      name,
      description: description ?? "",
      parameters: parameters ?? { type: "object", properties: {} },
      ...strictness(strict),
    })),
    typeof choice === "object" && choice !== null ? { name: choice.function.name } : (choice ?? undefined),
    parallel ?? undefined,
  );
}

/** Only a tool that says `strict` is promised valid arguments, in OpenAI's API as in Anthropic's. */
export function strictness(strict: boolean | null | undefined): Pick<EngineTool, "strict"> {
  return strict === true ? {} : { strict: false };
}

/** Tools of any API's request, checked. @throws CorralError INVALID_INPUT, ApiError */
export function engineTools(
  tools: EngineTool[],
  toolChoice: ToolChoice | undefined,
  parallelToolCalls: boolean | undefined,
): Partial<GenerateRequest> {
  if (typeof toolChoice === "object" && !tools.some(({ name }) => name === toolChoice.name)) {
    throw invalid("tool_choice", `tool_choice names "${toolChoice.name}", which is not among the tools.`);
  }
  checkTools(tools, toolChoice, "tools");
  return {
    tools,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
  };
}
