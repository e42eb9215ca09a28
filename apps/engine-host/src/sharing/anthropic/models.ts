import type { ApiCall } from "../api-call.ts";
import { listModels, type ListedModel } from "../model-choice.ts";
import { findListed } from "../openai/models.ts";

/** GET /v1/models and /v1/models/{id}, as Anthropic's clients read them. */
export const anthropicModels = {
  async list({ services }: ApiCall): Promise<Response> {
    const data = (await listModels(services)).filter(({ model }) => answers(model)).map(describe);
    const last = data.at(-1)?.id ?? null;
    return Response.json({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: last });
  },

  async one({ services }: ApiCall, id: string): Promise<Response> {
    return Response.json(describe(await findListed(services, id)));
  },
};

function answers({ ability }: ListedModel["model"]): boolean {
  return ability === "chat" || ability === "quote";
}

function describe({ id, name, model }: ListedModel) {
  return {
    type: "model",
    id,
    display_name: name,
    // When a model was added says nothing to a program.
    created_at: "1970-01-01T00:00:00Z",
    max_input_tokens: model.contextSize ?? model.shape?.trainContextSize ?? null,
    max_tokens: null,
  };
}
