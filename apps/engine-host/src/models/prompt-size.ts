import type { GenerateRequest, LoadedModel } from "../engines/engine.ts";

/** What a chat format adds to a turn, and to a prompt with tools, at most; tokens. */
const turnTokens = 16;
const toolPromptTokens = 512;
/** Bytes of UTF-8 in a token, roughly, of prose in the vocabularies in use. */
const bytesPerToken = 3.5;

/**
 * Tokens of a request's prompt. A short one is estimated: no vocabulary makes more tokens than there are bytes, so when even
 * so many would fit the smallest slot, counting would only cost time. A longer one is counted by the model's own tokenizer.
 * @param smallestSlot tokens
 */
export async function promptSize(
  model: Pick<LoadedModel, "countTokens" | "countPromptTokens">,
  request: GenerateRequest,
  smallestSlot: number,
  signal: AbortSignal,
): Promise<number> {
  const { messages, prompt, tools = [], maxTokens } = request;
  const toolText = tools.length > 0 ? JSON.stringify(tools) : "";
  const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls);
  const callText = calls.map((call) => call.name + call.arguments).join("");
  const texts = prompt === undefined ? messages.map(({ text }) => text) : [prompt];
  const bytes = [...texts, toolText, callText].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const format = (texts.length + calls.length + 1) * turnTokens + (tools.length > 0 ? toolPromptTokens : 0);
  if (bytes + format + maxTokens <= smallestSlot) return Math.ceil(bytes / bytesPerToken) + format;
  if (prompt !== undefined) return (await sumOf(model, [prompt], signal)) + 1;
  return model.countPromptTokens(messages, signal, tools);
}

async function sumOf(model: Pick<LoadedModel, "countTokens">, texts: string[], signal: AbortSignal): Promise<number> {
  return (await model.countTokens(texts, signal)).reduce((sum, count) => sum + count, 0);
}
