import type { Timings, Usage } from "@corral/protocol";
import type { GenerationStatistics, LoadedModel } from "../engines/engine.ts";

const nothing: GenerationStatistics = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  prefillMs: 0,
  decodeMs: 0,
};

/** What the turns of a reply took together. */
export class ReplyStatistics {
  #sum = nothing;
  #last = nothing;
  #turns = 0;
  /** Prompt tokens that were evaluated, of all turns. */
  #evaluated = 0;

  add(turn: GenerationStatistics): void {
    this.#turns++;
    this.#last = turn;
    this.#evaluated += turn.promptTokens - turn.cachedTokens;
    this.#sum = {
      ...turn,
      completionTokens: this.#sum.completionTokens + turn.completionTokens,
      prefillMs: this.#sum.prefillMs + turn.prefillMs,
      decodeMs: this.#sum.decodeMs + turn.decodeMs,
    };
  }

  timings(measured: Pick<Timings, "totalMs" | "timeToFirstTokenMs" | "retrievalMs">): Timings {
    const perSecond = (tokens: number, ms: number) => (tokens > 0 && ms > 0 ? (tokens * 1000) / ms : 0);
    const { completionTokens, prefillMs, decodeMs } = this.#sum;
    return {
      ...measured,
      prefillMs,
      decodeMs,
      prefillTokensPerSecond: perSecond(this.#evaluated, prefillMs),
      // From the first token of a turn to its last there is one token less than there are tokens.
      decodeTokensPerSecond: perSecond(completionTokens - this.#turns, decodeMs),
    };
  }

  /** The prompt is that of the last turn, which held all before it. */
  usage(model: LoadedModel): Usage {
    const { promptTokens, cachedTokens } = this.#last;
    const { completionTokens } = this.#sum;
    return { promptTokens, cachedTokens, completionTokens, contextSize: model.facts.contextSize };
  }
}
