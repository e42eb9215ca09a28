import type { Sampling } from "./chat.ts";

/** Llama 3.1's own generation_config.json: temperature 0.6, top_p 0.9. */
export const defaultSampling: Sampling = {
  temperature: 0.6,
  topP: 0.9,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  maxTokens: 1024,
  seed: null,
};
