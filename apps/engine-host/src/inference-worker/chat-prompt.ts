import { LlamaText, SpecialToken, type ChatHistoryItem, type LlamaModel, type Token } from "node-llama-cpp";
import type { EngineMessage, EngineTool, GenerateRequest } from "../engines/engine.ts";
import { endsOf, type ChatFormat } from "./chat-format.ts";
import { llamaPrompt } from "./llama-prompt.ts";
import { plainTokenizer } from "./plain-tokenizer.ts";
import { callText, toolInstructions } from "./tool-text.ts";

/** A prompt ready to evaluate, and what ends the reply to it besides the end-of-generation tokens. */
export interface ChatPrompt {
  tokens: Token[];
  stopTokens: Set<Token>;
  stopTexts: string[];
}

/** What a prompt is made of. */
export type PromptRequest = Pick<GenerateRequest, "messages" | "prompt" | "tools" | "toolChoice">;

/** The tools that are offered: none where the model may not call. */
export function offeredTools({ tools = [], toolChoice }: PromptRequest): EngineTool[] {
  return toolChoice === "none" ? [] : tools;
}

/**
 * Renders a conversation, or a raw text, up to where the model's reply begins. No text of a message, of a tool or of its
 * result ever becomes a control token.
 */
export function renderPrompt(model: LlamaModel, format: ChatFormat, request: PromptRequest): ChatPrompt {
  if (request.prompt !== undefined)
    return { tokens: rawTokens(model, request.prompt), stopTokens: new Set(), stopTexts: [] };
  const tools = offeredTools(request);
  const usesTools = tools.length > 0 || request.messages.some(({ role, toolCalls }) => role === "tool" || toolCalls);
  if (format.kind === "llama3" && usesTools) {
    const ends = endsOf(model, [LlamaText(new SpecialToken("EOS")), LlamaText(new SpecialToken("EOT"))]);
    const tokens = llamaPrompt(format, { ...request, tools }).tokenize(plainTokenizer(model));
    return { tokens, stopTokens: ends.tokens, stopTexts: [] };
  }
  const messages = usesTools ? withToolsAsText(request, tools) : request.messages;
  if (format.kind === "plain") return plainPrompt(model, messages);
  const { contextText, stopGenerationTriggers } = format.wrapper.generateContextState({
    // The empty reply at the end makes the format open the model's turn.
    chatHistory: [...messages.map(historyItem), { type: "model", response: [] }],
  });
  const ends = endsOf(
    model,
    stopGenerationTriggers.map((trigger) => LlamaText(trigger)),
  );
  return { tokens: contextText.tokenize(plainTokenizer(model)), stopTokens: ends.tokens, stopTexts: ends.texts };
}

/** Without any chat format: only the token that begins every text, where the model has one. */
function rawTokens(model: LlamaModel, text: string): Token[] {
  const { bos, shouldPrependBosToken } = model.tokens;
  const tokens = plainTokenizer(model)(text, false);
  return shouldPrependBosToken && bos !== null ? [bos, ...tokens] : tokens;
}

/** A format that knows no tools gets them in words: calls as Llama writes them in JSON, results from the user's side. */
function withToolsAsText({ messages, toolChoice }: PromptRequest, tools: readonly EngineTool[]): EngineMessage[] {
  const names = new Map(messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name])));
  const turns = messages.map((message): EngineMessage => {
    const { role, text, toolCalls = [], toolCallId = "" } = message;
    if (role === "tool")
      return { role: "user", text: `Result of ${names.get(toolCallId) ?? "the function"}:\n${text}` };
    if (toolCalls.length === 0) return { role, text };
    return { role, text: [text, callText(toolCalls)].filter((part) => part !== "").join("\n") };
  });
  if (tools.length === 0) return turns;
  const instructions = toolInstructions(tools, toolChoice === undefined || toolChoice === "auto");
  const [first] = turns;
  if (first?.role !== "system") return [{ role: "system", text: instructions }, ...turns];
  return [{ role: "system", text: `${first.text}\n\n${instructions}` }, ...turns.slice(1)];
}

const titles = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" } as const;

/**
 * For models of an unknown format: each turn is a title and its text, and a control token ends it, so that no text can pass
 * for another turn.
 */
function plainPrompt(model: LlamaModel, messages: readonly EngineMessage[]): ChatPrompt {
  const end = new SpecialToken("EOS");
  const turns = messages.map(({ role, text }) => LlamaText([`${titles[role]}:\n${text}`, end]));
  const tokens = LlamaText([new SpecialToken("BOS"), ...turns, `${titles.assistant}:\n`]).tokenize(
    plainTokenizer(model),
  );
  return { tokens, stopTokens: endsOf(model, [LlamaText(end)]).tokens, stopTexts: [] };
}

function historyItem({ role, text }: EngineMessage): ChatHistoryItem {
  // A plain string stays plain: only LlamaText parts the format itself adds are read as control tokens.
  if (role === "assistant") return { type: "model", response: [text] };
  return role === "user" ? { type: "user", text } : { type: "system", text };
}
