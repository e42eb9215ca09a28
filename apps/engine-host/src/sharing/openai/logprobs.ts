import type { TokenLogprob } from "../../engines/engine.ts";

/** How likely each token was, as chat completions have it. */
export function chatLogprobs(tokens: TokenLogprob[]) {
  return { content: tokens.map(({ top, ...token }) => ({ ...token, top_logprobs: top })), refusal: null };
}

/** The same as completions have it. @param offset where the first token starts, characters */
export function completionLogprobs(tokens: TokenLogprob[], offset: number) {
  let place = offset;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: tokens.map(({ token }) => {
      const start = place;
      place += token.length;
      return start;
    }),
  };
}
