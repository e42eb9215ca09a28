import type { EngineTool } from "./engine.ts";

/** A tool Llama 3.1 was trained to call in a form of its own. */
export interface BuiltInTool extends EngineTool {
  /** Its only argument. */
  argument: string;
}

/** Their names, and what their argument is called (llama-models, llama3_1/prompt_format.md, "Builtin Tool Calling"). */
const builtInTools: Record<string, string> = {
  brave_search: "query",
  wolfram_alpha: "query",
  code_interpreter: "code",
};

/**
 * A tool as one of Llama 3.1's own: it has the name, and takes the one text that this form of call can give; null: it is
 * none, and called like any other, though it may share the name.
 */
export function builtInTool(tool: EngineTool): BuiltInTool | null {
  const argument = Object.hasOwn(builtInTools, tool.name) ? builtInTools[tool.name] : undefined;
  if (argument === undefined) return null;
  const { properties, required = [] } = tool.parameters as { properties?: Record<string, unknown>; required?: unknown };
  const taken = properties?.[argument] as { type?: unknown } | undefined;
  const isEnough = Array.isArray(required) && required.every((name) => name === argument);
  // Such a call has no grammar for what its argument may be.
  const isFree =
    taken?.type === "string" && Object.keys(taken).every((key) => ["type", "description", "title"].includes(key));
  return isEnough && isFree ? { ...tool, argument } : null;
}
