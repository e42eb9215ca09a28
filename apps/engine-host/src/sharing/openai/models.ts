import { CorralError } from "@corral/protocol";
import type { ApiCall } from "../api-call.ts";
import { listModels, type ListedModel } from "../model-choice.ts";

/** GET /v1/models */
export async function listModelObjects({ services }: ApiCall): Promise<Response> {
  return Response.json({ object: "list", data: (await listModels(services)).map(describe) });
}

/** GET /v1/models/{id} */
export async function modelObject({ services }: ApiCall, id: string): Promise<Response> {
  return Response.json(describe(await findListed(services, id)));
}

/** @throws CorralError MODEL_NOT_FOUND */
export async function findListed(services: ApiCall["services"], id: string): Promise<ListedModel> {
  const found = (await listModels(services)).find((listed) => listed.id === id);
  if (found !== undefined) return found;
  const message = `There is no model "${id.slice(0, 200)}" here. GET /v1/models lists those there are.`;
  throw new CorralError("MODEL_NOT_FOUND", message, { model: id });
}

function describe({ id, name, model, collection }: ListedModel) {
  return {
    id,
    object: "model",
    // When a model was added says nothing to a program; OpenAI's own clients only need a number.
    created: 0,
    owned_by: "corral",
    ...contextOf(model),
    corral: {
      name,
      ability: model.ability,
      state: model.state,
      tier: model.tier,
      quantization: model.quantization,
      collection: collection?.name ?? null,
    },
  };
}

/** As vLLM tells it; null where neither a plan nor the file says. */
function contextOf({ contextSize, shape }: ListedModel["model"]): { max_model_len: number | null } {
  return { max_model_len: contextSize ?? shape?.trainContextSize ?? null };
}
