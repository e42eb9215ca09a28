import type { ModelSummary } from "@corral/protocol";
import { useChat, useModels } from "../../stores/stores.tsx";

/** The model the next answer comes from: the conversation's own choice, else the host's default, which it lists first. */
export function useActiveModel(): ModelSummary | null {
  const chosen = useChat((state) => state.settings.model);
  return useModels((state) => state.models.find(({ id }) => id === chosen) ?? state.models[0] ?? null);
}
