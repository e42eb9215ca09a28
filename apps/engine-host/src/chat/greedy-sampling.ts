/** The likeliest token each time: for what the model writes for Corral itself, not for the user. */
export const greedySampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: null } as const;
