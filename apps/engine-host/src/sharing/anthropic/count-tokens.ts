import type { ApiCall } from "../api-call.ts";
import { chooseModel } from "../model-choice.ts";
import { readJson } from "../request-body.ts";
import { engineMessages, promptWishes, readPromptRequest } from "./messages-request.ts";

/** POST /v1/messages/count_tokens: of the prompt as the model's own chat format has it, without passages of documents. */
export async function countMessageTokens(call: ApiCall): Promise<Response> {
  const request = readPromptRequest(await readJson(call.request));
  const prompt = engineMessages(request);
  const { tools, toolChoice } = promptWishes(request);
  const offered = toolChoice === "none" ? undefined : tools;
  const { model } = await chooseModel(request.model, request.corral, call.services);
  await using lease = await call.services.models.acquire(model.id, { signal: call.signal, client: call.client });
  return Response.json({ input_tokens: await lease.model.countPromptTokens(prompt, call.signal, offered) });
}
