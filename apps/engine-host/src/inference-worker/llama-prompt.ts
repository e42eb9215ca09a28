import { LlamaText, SpecialToken, SpecialTokensText } from "node-llama-cpp";
import { builtInTool } from "../engines/built-in-tools.ts";
import type { EngineMessage, EngineToolCall } from "../engines/engine.ts";
import type { ChatFormat } from "./chat-format.ts";
import type { PromptRequest } from "./chat-prompt.ts";
import { callText, toolInstructions } from "./tool-text.ts";

/**
 * A conversation in Llama 3's own form, tools included (llama-models, llama3_1/prompt_format.md):
 *
 * - `Environment: ipython` in the system message turns tools on, `Tools: …` names the built-in ones; the code interpreter
 *   is on with the environment and not named.
 * - Other functions are described before the first question, and called as `{"name": …, "parameters": …}`.
 * - A call of a built-in tool begins with `<|python_tag|>` and ends with `<|eom_id|>`; its form is
 *   `brave_search.call(query="…")`, and just the code for the code interpreter.
 * - What a call gave is a turn of the role `ipython`.
 *
 * Only what the form itself adds is read as control tokens.
 */
export function llamaPrompt(format: ChatFormat, request: PromptRequest): LlamaText {
  const tools = request.tools ?? [];
  const isBuiltIn = (name: string) =>
    format.pythonTag !== null && tools.some((tool) => tool.name === name && builtInTool(tool) !== null);
  const others = tools.filter(({ name }) => !isBuiltIn(name));
  const turns = merged(request.messages);
  if (tools.length > 0) {
    if (turns[0]?.role !== "system") turns.unshift({ role: "system", text: "" });
    const [system] = turns as [EngineMessage];
    const named = tools.map(({ name }) => name).filter((name) => isBuiltIn(name) && name !== "code_interpreter");
    const lines = ["Environment: ipython", ...(named.length > 0 ? [`Tools: ${named.join(", ")}`] : [])];
    turns[0] = { role: "system", text: `${lines.join("\n")}\n\n${system.text}` };
  }
  if (others.length > 0) {
    const instructions = toolInstructions(others, request.toolChoice === undefined || request.toolChoice === "auto");
    const first = turns.findIndex(({ role }) => role === "user");
    // Without a question they stand with the rules.
    const at = Math.max(first, 0);
    const turn = turns[at] as EngineMessage;
    turns[at] = { ...turn, text: first < 0 ? `${turn.text}\n\n${instructions}` : `${instructions}\n\n${turn.text}` };
  }
  const last = turns.at(-1);
  // A reply that was begun is gone on with.
  const isBegun = last?.role === "assistant" && (last.toolCalls ?? []).length === 0;
  const parts = turns.map((turn, index) => turnText(turn, isBuiltIn, isBegun && index === turns.length - 1));
  return LlamaText([new SpecialToken("BOS"), ...parts, ...(isBegun ? [] : [header("assistant")])]);
}

const special = (text: string) => new SpecialTokensText(text);
const header = (role: "system" | "user" | "assistant" | "ipython") =>
  special(`<|start_header_id|>${role}<|end_header_id|>\n\n`);

function turnText(turn: EngineMessage, isBuiltIn: (name: string) => boolean, isOpen: boolean): LlamaText {
  const calls = turn.toolCalls ?? [];
  const end = isOpen ? [] : [special("<|eot_id|>")];
  if (turn.role !== "assistant")
    return LlamaText([header(turn.role === "tool" ? "ipython" : turn.role), turn.text, ...end]);
  const [first] = calls;
  if (calls.length === 1 && first && isBuiltIn(first.name)) {
    const call = builtInCallText(first);
    return LlamaText([header("assistant"), turn.text, special("<|python_tag|>"), call, special("<|eom_id|>")]);
  }
  const text = [turn.text, ...(calls.length > 0 ? [callText(calls)] : [])].filter((part) => part !== "").join("\n");
  return LlamaText([header("assistant"), text, ...end]);
}

function builtInCallText({ name, arguments: text }: EngineToolCall): string {
  let given: { query?: unknown; code?: unknown } = {};
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    // A caller's own history need not be JSON.
  }
  if (name === "code_interpreter") return typeof given.code === "string" ? given.code : text;
  const query = typeof given.query === "string" ? given.query : text;
  return `${name}.call(query="${query.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}")`;
}

/** Neighbours of one role are one turn, as node-llama-cpp's wrapper has it; results stay apart. */
function merged(messages: readonly EngineMessage[]): EngineMessage[] {
  const turns: EngineMessage[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    const isSame = last?.role === message.role && message.role !== "tool" && !last.toolCalls && !message.toolCalls;
    if (isSame) turns[turns.length - 1] = { role: last.role, text: `${last.text}\n\n${message.text}` };
    else turns.push(message);
  }
  return turns;
}
