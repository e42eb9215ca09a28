import type { EngineTool, EngineToolCall } from "../engines/engine.ts";

/** JSON as Python's json.dumps writes it, which models were trained on: a space after each comma and colon. */
function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${spacedJson(item)}`)
    .join(", ")}}`;
}

/** Calls in the form `{"name": …, "parameters": …}`; several are a list. */
export function callText(calls: readonly EngineToolCall[]): string {
  const texts = calls.map(
    ({ name, arguments: text }) => `{"name": ${JSON.stringify(name)}, "parameters": ${argumentsText(text)}}`,
  );
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function argumentsText(text: string): string {
  try {
    return spacedJson(JSON.parse(text));
  } catch {
    // A caller's own history need not be JSON.
    return JSON.stringify(text);
  }
}

/**
 * What tells a model of its functions, in the words of Llama 3.1's own chat template ("JSON based tool calling" in
 * llama-models, llama3_1/prompt_format.md, has them in slightly other words).
 * @param isFree the model may do without: the template's words ask for a call whatever the question
 */
export function toolInstructions(tools: readonly EngineTool[], isFree: boolean): string {
  const ask =
    "Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.";
  const format =
    'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}. Do not use variables.';
  const otherwise = isFree ? " If no function is needed, answer directly." : "";
  const definitions = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ type: "function", function: { name, description, parameters } }, null, 4),
  );
  return [ask, `${format}${otherwise}`, ...definitions].join("\n\n");
}
