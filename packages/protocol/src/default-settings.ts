import type { ConversationSettings } from "./chat.ts";
import { defaultSampling } from "./default-sampling.ts";

/**
 * What a conversation starts with. No tool is on: each costs tokens of every prompt, and documents that are attached are
 * searched without one.
 */
export const defaultConversationSettings: ConversationSettings = {
  systemPrompt: "",
  sampling: defaultSampling,
  sources: { collectionIds: [], documentIds: [] },
  model: null,
  tools: { enabled: [], allowed: [] },
  overflow: "drop-oldest",
};
