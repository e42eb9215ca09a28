import {
  LlamaText,
  resolveChatWrapper,
  type ChatHistoryItem,
  type ChatWrapper,
  type LlamaModel,
  type Token,
} from "node-llama-cpp";
import type { EngineMessage } from "../engines/engine.ts";

/** A prompt ready to evaluate, and what ends the reply to it besides the end-of-generation tokens. */
export interface ChatPrompt {
  tokens: Token[];
  stopTokens: Set<Token>;
  stopTexts: string[];
}

/**
 * The model's chat format. Llama 3.1's date and tool preamble stays out: it changes daily, which would void the KV cache,
 * and the reader model is asked without it (its card).
 */
export function chatFormatOf(model: LlamaModel): ChatWrapper {
  const withoutPreamble = { cuttingKnowledgeDate: null, todayDate: null, noToolInstructions: true };
  return resolveChatWrapper(model, {
    customWrapperSettings: { "llama3.1": withoutPreamble, "llama3.2-lightweight": withoutPreamble },
    warningLogs: false,
  });
}

/** Renders a conversation up to where the model's reply begins. Message text never becomes control tokens. */
export function renderPrompt(model: LlamaModel, format: ChatWrapper, messages: readonly EngineMessage[]): ChatPrompt {
  const { contextText, stopGenerationTriggers } = format.generateContextState({
    // The empty reply at the end makes the format open the model's turn.
    chatHistory: [...messages.map(historyItem), { type: "model", response: [] }],
  });
  const stopTokens = new Set<Token>();
  const stopTexts: string[] = [];
  for (const trigger of stopGenerationTriggers) {
    const text = LlamaText(trigger);
    const tokens = text.tokenize(model.tokenizer);
    const [token] = tokens;
    if (tokens.length === 1 && token !== undefined && model.isSpecialToken(token)) stopTokens.add(token);
    else if (text.values.every((value) => typeof value === "string") && text.toString() !== "")
      stopTexts.push(text.toString());
  }
  return { tokens: contextText.tokenize(model.tokenizer), stopTokens, stopTexts };
}

function historyItem({ role, text }: EngineMessage): ChatHistoryItem {
  // A plain string stays plain: only LlamaText parts the format itself adds are read as control tokens.
  if (role === "assistant") return { type: "model", response: [text] };
  return role === "user" ? { type: "user", text } : { type: "system", text };
}
