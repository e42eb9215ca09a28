import type { ContextMeasure, ConversationSettings, Message, ModelSummary } from "@corral/protocol";
import type { EngineMessage, EngineTool } from "../engines/engine.ts";
import type { Clock } from "./clock.ts";
import type { ChatModels } from "./generate-reply.ts";
import { splitAtSummary, turnsOf } from "./earlier-turns.ts";
import { plainPrompt, replyRoom } from "./grounded-prompt.ts";
import { readerRequest } from "./reader-prompt.ts";

/** Characters of a token, roughly, where no tokenizer is loaded; the Llama 3 tokenizer has 3.5 to 4.5 on prose. */
const charactersPerToken = 3.5;

/** ms a plan's context size is believed: a plan reads the hardware anew, a meter is asked at every pause in typing. */
const planLifetimeMs = 60_000;

/** Tells how full the context would be. Never loads a model for it. */
export class ContextMeter {
  readonly #models: ChatModels;
  readonly #clock: Clock;
  readonly #planned = new Map<string, { contextSize: Promise<number>; at: number }>();

  constructor(models: ChatModels, clock: Clock) {
    this.#models = models;
    this.#clock = clock;
  }

  /** @param tools what the model may call in this conversation */
  async measure(
    settings: ConversationSettings,
    messages: Message[],
    draft: string,
    tools: EngineTool[],
  ): Promise<ContextMeasure> {
    const listed = await this.#models.list();
    const summary = settings.model === null ? listed[0] : listed.find((model) => model.id === settings.model);
    const prompt = promptOf(summary, settings, messages, draft);
    const contextSize = summary === undefined ? 0 : (summary.contextSize ?? (await this.#plannedContext(summary.id)));
    const known = summary?.ability === "chat" ? tools : [];
    const exact = summary === undefined ? null : await this.#count(summary, prompt, known);
    const toolCharacters = known.length === 0 ? 0 : JSON.stringify(known).length;
    const characters = prompt.reduce((sum, { text }) => sum + text.length, toolCharacters);
    return {
      usedTokens: exact ?? Math.ceil(characters / charactersPerToken),
      contextSize,
      replyTokens: replyRoom(settings.sampling, contextSize),
    };
  }

  /** By the model's own tokenizer if it is loaded, else null. */
  async #count(summary: ModelSummary, prompt: EngineMessage[], tools: EngineTool[]): Promise<number | null> {
    if (summary.state !== "ready" && summary.state !== "idle") return null;
    const giveUp = new AbortController();
    try {
      // Unloaded in the meantime: then it would have to be waited for, which is called off.
      const onWaiting = () => giveUp.abort();
      await using lease = await this.#models.acquire(summary.id, { signal: giveUp.signal, onWaiting });
      return await lease.model.countPromptTokens(prompt, giveUp.signal, tools);
    } catch {
      return null;
    }
  }

  async #plannedContext(model: string): Promise<number> {
    const known = this.#planned.get(model);
    if (known !== undefined && this.#clock.now() - known.at < planLifetimeMs) return known.contextSize;
    const contextSize = this.#models.plan(model).then(
      (plan) => plan.contextSize,
      () => 0,
    );
    this.#planned.set(model, { contextSize, at: this.#clock.now() });
    return contextSize;
  }
}

function promptOf(
  summary: ModelSummary | undefined,
  settings: ConversationSettings,
  history: Message[],
  draft: string,
): EngineMessage[] {
  if (summary?.ability === "quote") return readerRequest(draft, [], { certain: false, maxTokens: 1 }).messages;
  const { collectionIds, documentIds } = settings.sources;
  const passages = collectionIds.length + documentIds.length > 0 ? [] : null;
  // Only with `summarise` does a summary stand for the turns before it.
  const earlier =
    settings.overflow === "summarise" ? splitAtSummary(history) : { summary: null, turns: turnsOf(history) };
  return plainPrompt({ ...settings, ...earlier, question: draft, passages, tools: [], written: null });
}
