import { z } from "zod";
import type { EngineMessage, GenerateRequest, ToolChoice } from "../../engines/engine.ts";
import { checkJsonSchema } from "../../engines/request-checks.ts";
import { invalid } from "../api-error.ts";
import { corralField } from "../model-choice.ts";
import { engineTools, jsonObject, mostMessages, mostTools, strictness } from "../openai/chat-request.ts";
import { mostTokens } from "../openai/sampling-fields.ts";
import { boundedList, parseRequest, type RefusedField } from "../request-body.ts";

const mostBlocks = 1_024;
const textBlock = z.object({ type: z.literal("text"), text: z.string() });
const resultContent = z.union([z.string(), boundedList(z.looseObject({ type: z.string() }), mostBlocks)]);

const block = z.union([
  textBlock,
  z.object({
    type: z.literal("tool_use"),
    id: z.string().min(1).max(200),
    name: z.string().min(1).max(128),
    input: jsonObject,
  }),
  z.object({
    type: z.literal("tool_result"),
    tool_use_id: z.string().min(1).max(200),
    content: resultContent.nullish(),
    is_error: z.boolean().nullish(),
  }),
  // Thoughts of other models: nothing here reads them.
  z.object({ type: z.enum(["thinking", "redacted_thinking"]) }),
]);

const message = z.object({
  role: z.enum(["user", "assistant", "system"]),
  content: z.union([z.string(), boundedList(z.looseObject({ type: z.string() }), mostBlocks)]),
});

const tool = z.object({
  name: z.string().regex(/^[\w-]{1,128}$/, "a name of 1 to 128 letters, digits, underscores and dashes"),
  description: z.string().max(32_768).nullish(),
  input_schema: jsonObject,
  strict: z.boolean().nullish(),
});

const one = z.number().min(0).max(1).nullish();

/** What counting tokens takes too. */
const promptFields = {
  model: z.string().min(1).max(400),
  messages: boundedList(message, mostMessages, 1),
  system: z.union([z.string(), boundedList(textBlock, mostBlocks)]).nullish(),
  tools: boundedList(z.looseObject({ type: z.string().nullish() }), mostTools).nullish(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("auto"), disable_parallel_tool_use: z.boolean().nullish() }),
      z.object({ type: z.literal("any"), disable_parallel_tool_use: z.boolean().nullish() }),
      z.object({
        type: z.literal("tool"),
        name: z.string().min(1).max(128),
        disable_parallel_tool_use: z.boolean().nullish(),
      }),
      z.object({ type: z.literal("none") }),
    ])
    .nullish(),
  thinking: z.looseObject({ type: z.string() }).nullish(),
  output_config: z
    .object({ format: z.object({ type: z.literal("json_schema"), schema: jsonObject }).nullish() })
    .nullish(),
  corral: corralField.nullish(),
};

const promptRequest = z.object(promptFields);
export type PromptRequest = z.infer<typeof promptRequest>;

const messagesRequest = z.object({
  ...promptFields,
  max_tokens: z.number().int().min(1).max(mostTokens),
  stream: z.boolean().nullish(),
  temperature: one,
  top_p: one,
  top_k: z.number().int().min(0).max(1_000).nullish(),
  stop_sequences: boundedList(z.string().min(1).max(1_000), 16).nullish(),
});
export type MessagesRequest = z.infer<typeof messagesRequest>;

const refusedFields: Record<string, RefusedField> = {
  container: { because: "nothing here runs code." },
  mcp_servers: {
    because: "only tools of your own program can be used; this host calls no servers for an API request.",
  },
  context_management: { because: "nothing is ever cut here; send what the model shall read." },
};

/** @throws ApiError naming what is wrong */
export function readMessagesRequest(body: unknown): MessagesRequest {
  return checked(parseRequest(messagesRequest, body, refusedFields));
}

/** @throws ApiError naming what is wrong */
export function readPromptRequest(body: unknown): PromptRequest {
  return checked(parseRequest(promptRequest, body, refusedFields));
}

function checked<Request extends PromptRequest>(request: Request): Request {
  if (request.thinking && request.thinking.type !== "disabled") {
    throw invalid("thinking", `thinking is not supported: models here do not think apart from answering.`);
  }
  if (request.messages.at(-1)?.role === "assistant") {
    const last = `messages[${request.messages.length - 1}]`;
    throw invalid(
      last,
      `The last message must be the user's: beginning the assistant's answer for it is not supported.`,
    );
  }
  return request;
}

/** The conversation as the engine takes it. @throws ApiError */
export function engineMessages({ system, messages }: PromptRequest): EngineMessage[] {
  const result: EngineMessage[] = [];
  const calls = new Set<string>();
  const instructions = typeof system === "string" ? system : (system ?? []).map(({ text }) => text).join("\n\n");
  if (instructions !== "") result.push({ role: "system", text: instructions });
  for (const [at, { role, content }] of messages.entries()) {
    if (typeof content === "string") {
      result.push({ role, text: content });
      continue;
    }
    const texts: string[] = [];
    const toolCalls: NonNullable<EngineMessage["toolCalls"]> = [];
    for (const [index, given] of content.entries()) {
      const where = `messages[${at}].content[${index}]`;
      const read = readBlock(given, where);
      if (read.type === "text") texts.push(read.text);
      if (read.type === "tool_use") {
        if (role !== "assistant") throw invalid(where, `${where}: only the assistant uses tools.`);
        calls.add(read.id);
        toolCalls.push({ id: read.id, name: read.name, arguments: JSON.stringify(read.input) });
      }
      if (read.type === "tool_result") {
        if (role !== "user") throw invalid(where, `${where}: results of tools come from the user.`);
        if (!calls.has(read.tool_use_id)) {
          throw invalid(where, `${where} answers "${read.tool_use_id}", which no tool_use before it has as its id.`);
        }
        const text = textOfResult(read.content ?? "", `${where}.content`);
        result.push({ role: "tool", text: read.is_error ? `Error: ${text}` : text, toolCallId: read.tool_use_id });
      }
    }
    if (texts.length > 0 || toolCalls.length > 0) {
      result.push({ role, text: texts.join("\n"), ...(toolCalls.length > 0 ? { toolCalls } : {}) });
    }
  }
  return result;
}

const blockTypes = ["text", "tool_use", "tool_result", "thinking", "redacted_thinking"];

function readBlock(given: { type: string }, where: string): z.infer<typeof block> {
  if (given.type === "image") throw invalid(where, `${where} is an image: models here read text only.`);
  if (given.type === "document") {
    throw invalid(where, `${where} is a document: add it to a collection and name that in corral.collections.`);
  }
  if (!blockTypes.includes(given.type)) {
    throw invalid(where, `${where} is of type ${given.type.slice(0, 64)}, which is not supported here.`);
  }
  const result = block.safeParse(given);
  if (result.success) return result.data;
  throw invalid(where, `${where} is not a ${given.type} as this API has it.`);
}

function textOfResult(content: z.infer<typeof resultContent>, where: string): string {
  if (typeof content === "string") return content;
  return content
    .map((given, at) => {
      const read = readBlock(given, `${where}[${at}]`);
      if (read.type === "text") return read.text;
      throw invalid(`${where}[${at}]`, `${where}[${at}] is of type ${read.type}: results of tools are text here.`);
    })
    .join("\n");
}

/** What the request wishes besides its messages. @throws ApiError */
export function wishesOf(request: MessagesRequest): Partial<GenerateRequest> {
  const { temperature, top_p: topP, top_k: topK, stop_sequences: stop } = request;
  return {
    ...(temperature == null ? {} : { temperature }),
    // A top_p of 0 leaves the likeliest token, as a very small one does.
    ...(topP == null ? {} : { topP: topP === 0 ? 1e-6 : topP }),
    ...(topK == null ? {} : { topK }),
    ...(stop == null || stop.length === 0 ? {} : { stop }),
    ...promptWishes(request),
  };
}

/** Tools and the schema of the answer: what a prompt is longer by. @throws ApiError */
export function promptWishes({ tools, tool_choice: choice, output_config: output }: PromptRequest) {
  const schema = output?.format?.schema;
  if (schema !== undefined) checkJsonSchema(schema, "output_config.format.schema");
  return { ...toolsOf(tools ?? [], choice ?? null), ...(schema === undefined ? {} : { jsonSchema: schema }) };
}

function toolsOf(
  tools: NonNullable<PromptRequest["tools"]>,
  choice: NonNullable<PromptRequest["tool_choice"]> | null,
): Partial<GenerateRequest> {
  if (tools.length === 0) {
    if (choice === null || choice.type === "auto" || choice.type === "none") return {};
    throw invalid("tool_choice", "tool_choice is only allowed when tools are given.");
  }
  const own = tools.map((given, at) => {
    if (given.type != null && given.type !== "custom") {
      throw invalid(
        `tools[${at}].type`,
        `The tool ${given.type.slice(0, 64)} is not supported: only tools of your own program are.`,
      );
    }
    return parseRequest(tool, given);
  });
  const isSingle = choice !== null && choice.type !== "none" && choice.disable_parallel_tool_use === true;
  return engineTools(
    own.map(({ name, description, input_schema: parameters, strict }) => ({
      name,
      description: description ?? "",
      parameters,
      ...strictness(strict),
    })),
    choice === null ? undefined : choiceOf(choice),
    isSingle ? false : undefined,
  );
}

function choiceOf(choice: NonNullable<PromptRequest["tool_choice"]>): ToolChoice {
  if (choice.type === "any") return "required";
  return choice.type === "tool" ? { name: choice.name } : choice.type;
}
