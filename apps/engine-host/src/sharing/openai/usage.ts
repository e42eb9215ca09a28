import type { GenerationStatistics } from "../../engines/engine.ts";

/** Tokens of one reply or of several to the same prompt, which then counts once. */
export interface TokenCount {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

export const noTokens: TokenCount = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };

/** Choices of one request share their prompt: it counts once, as read by the first. */
export function addChoice(sum: TokenCount, statistics: GenerationStatistics): TokenCount {
  const isFirst = sum === noTokens;
  return {
    promptTokens: isFirst ? statistics.promptTokens : sum.promptTokens,
    cachedTokens: isFirst ? statistics.cachedTokens : sum.cachedTokens,
    completionTokens: sum.completionTokens + statistics.completionTokens,
  };
}

/** Usage as chat completions and completions have it. */
export function usageOf({ promptTokens, cachedTokens, completionTokens }: TokenCount) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
