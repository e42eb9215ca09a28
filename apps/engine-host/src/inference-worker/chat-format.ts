import { type LlamaText, resolveChatWrapper, type ChatWrapper, type LlamaModel, type Token } from "node-llama-cpp";

/** How a model wants to be talked to. */
export interface ChatFormat {
  /** For example "Llama 3.1". */
  name: string;
  wrapper: ChatWrapper;
  /**
   * llama3: Llama 3's headers, which this program writes itself where tools are in play. plain: a format of our own.
   * wrapper: one that node-llama-cpp knows, or the model's own template.
   */
  kind: "llama3" | "plain" | "wrapper";
  /** `<|python_tag|>`, which begins a call of a tool Llama 3.1 was trained with; null: the model has none. */
  pythonTag: Token | null;
}

/** node-llama-cpp's formats in which plain text divides the turns: what a message says could pass for another turn. */
const unsafeWrappers = ["General", "AlpacaChat", "Empty"];

/**
 * The model's chat format. Llama 3.1's date and tool preamble stays out: it changes daily, which would void the KV cache,
 * and the reader model is asked without it (its card).
 */
export function chatFormatOf(model: LlamaModel): ChatFormat {
  const withoutPreamble = { cuttingKnowledgeDate: null, todayDate: null, noToolInstructions: true };
  const wrapper = resolveChatWrapper(model, {
    customWrapperSettings: { "llama3.1": withoutPreamble, "llama3.2-lightweight": withoutPreamble },
    warningLogs: false,
  });
  return formatOf(model, wrapper);
}

/** The format that a wrapper of node-llama-cpp stands for. */
export function formatOf(model: LlamaModel, wrapper: ChatWrapper): ChatFormat {
  const hasHeaders = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"].every(
    (text) => controlToken(model, text) !== null,
  );
  if (wrapper.wrapperName.startsWith("Llama 3") && hasHeaders) {
    const hasEnd = controlToken(model, "<|eom_id|>") !== null;
    const pythonTag = hasEnd ? controlToken(model, "<|python_tag|>") : null;
    return { name: wrapper.wrapperName, wrapper, kind: "llama3", pythonTag };
  }
  const isUnsafe = unsafeWrappers.includes(wrapper.wrapperName);
  return {
    name: isUnsafe ? "Plain" : wrapper.wrapperName,
    wrapper,
    kind: isUnsafe ? "plain" : "wrapper",
    pythonTag: null,
  };
}

/** The one control token with this text; null: the vocabulary has none. */
function controlToken(model: LlamaModel, text: string): Token | null {
  const tokens = model.tokenize(text, true, "trimLeadingSpace");
  const [token] = tokens;
  return tokens.length === 1 && token !== undefined && model.isSpecialToken(token) ? token : null;
}

/** What ends a reply, told apart: control tokens, and texts. */
export function endsOf(model: LlamaModel, triggers: readonly LlamaText[]): { tokens: Set<Token>; texts: string[] } {
  const stops = { tokens: new Set<Token>(), texts: [] as string[] };
  for (const trigger of triggers) {
    const tokens = trigger.tokenize(model.tokenizer);
    const [token] = tokens;
    if (tokens.length === 1 && token !== undefined && model.isSpecialToken(token)) stops.tokens.add(token);
    else if (trigger.values.every((value) => typeof value === "string") && trigger.toString() !== "")
      stops.texts.push(trigger.toString());
  }
  return stops;
}
