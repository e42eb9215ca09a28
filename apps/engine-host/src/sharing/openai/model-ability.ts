import type { ModelSummary } from "@corral/protocol";
import type { Models } from "../../models/models.ts";
import { invalid } from "../api-error.ts";

const does: Record<ModelSummary["ability"], string> = {
  chat: "converses: use /v1/chat/completions",
  quote: "quotes from documents: use /v1/chat/completions",
  embed: "makes embeddings: use /v1/embeddings",
  rank: "ranks texts: use /v1/rerank",
};

/**
 * Refuses a model that is here but does something else, in words that say what. An unknown one is left to whoever
 * loads it.
 * @throws ApiError
 */
export async function refuseForOther(
  wanted: ModelSummary["ability"],
  id: string,
  models: Pick<Models, "list">,
): Promise<void> {
  const model = (await models.list()).find((candidate) => candidate.id === id);
  if (model === undefined || model.ability === wanted) return;
  throw invalid("model", `${model.id} ${does[model.ability]}.`);
}
