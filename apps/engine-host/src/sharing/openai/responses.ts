import type { EngineMessage } from "../../engines/engine.ts";
import { apiErrorOf, ApiError, invalid } from "../api-error.ts";
import type { ApiCall } from "../api-call.ts";
import { eventFrame, eventStream, comment } from "../event-stream.ts";
import { carryOut, type OrderPart } from "../generation.ts";
import { chooseModel } from "../model-choice.ts";
import { readJson } from "../request-body.ts";
import { progressComment } from "./progress-comment.ts";
import { ResponseWriter, type ResponseObject } from "./response-events.ts";
import type { StoredResponses } from "./response-store.ts";
import {
  inputMessages,
  readResponsesRequest,
  responseWishes,
  withCall,
  type ResponsesRequest,
} from "./responses-request.ts";

/** POST /v1/responses */
export async function createResponse(call: ApiCall, stored: StoredResponses): Promise<Response> {
  const request = readResponsesRequest(await readJson(call.request));
  const messages = inputMessages(request.input, earlierMessages(request, call, stored));
  const { instructions } = request;
  const choice = await chooseModel(request.model, request.corral, call.services);
  const parts = carryOut(
    {
      ...choice,
      client: call.clientFor(request.corral?.priority ?? (request.service_tier === "flex" ? "batch" : null)),
      prompt: instructions ? [{ role: "system", text: instructions }, ...messages] : messages,
      maxTokens: request.max_output_tokens ?? null,
      choices: 1,
      wishes: responseWishes(request),
    },
    call.services,
    call.signal,
  );
  const writer = new ResponseWriter(emptyResponse(request, call), call.newId);
  const keep = () => {
    const { response } = writer;
    const isWhole = response.status === "completed" || response.status === "incomplete";
    if (request.store === false || !isWhole) return;
    stored.keep({ user: call.client.user, response, messages: [...messages, ...outputMessages(response)] });
  };
  if (request.stream === true) {
    return eventStream(frames(writer, parts, keep), {
      heartbeat: comment("waiting"),
      failure: (thrown) => {
        call.noteFailure(thrown);
        const { code, message } = apiErrorOf(thrown);
        return [...writer.fail(code ?? "server_error", message)].map((event) => eventFrame(event.type, event)).join("");
      },
      onEnd: (how) => call.end(how),
    });
  }
  for await (const part of parts) for (const _ of writer.take(part));
  keep();
  return Response.json(writer.response);
}

async function* frames(
  writer: ResponseWriter,
  parts: AsyncIterable<OrderPart>,
  done: () => void,
): AsyncGenerator<string, void> {
  let begun = false;
  for await (const part of parts) {
    // Only now is it certain that the request itself is in order.
    if (!begun) for (const event of writer.begin()) yield eventFrame(event.type, event);
    begun = true;
    const progress = progressComment(part);
    if (progress !== null) yield progress;
    for (const event of writer.take(part)) yield eventFrame(event.type, event);
  }
  done();
}

/** GET /v1/responses/{id} */
export async function getResponse(call: ApiCall, stored: StoredResponses, id: string): Promise<Response> {
  const found = stored.find(id, call.client.user);
  if (found === null) throw unknownResponse(id);
  return Response.json(found.response);
}

/** DELETE /v1/responses/{id} */
export async function deleteResponse(call: ApiCall, stored: StoredResponses, id: string): Promise<Response> {
  if (!stored.remove(id, call.client.user)) throw unknownResponse(id);
  return Response.json({ id, object: "response", deleted: true });
}

function unknownResponse(id: string): ApiError {
  return new ApiError(
    "not-found",
    `There is no stored response "${id.slice(0, 100)}". Responses are kept in memory only, until newer ones take their place or Corral restarts.`,
    { code: "response_not_found" },
  );
}

function earlierMessages(
  { previous_response_id: id }: ResponsesRequest,
  { client }: ApiCall,
  stored: StoredResponses,
): EngineMessage[] {
  if (id == null) return [];
  const found = stored.find(id, client.user);
  if (found !== null) return found.messages;
  throw invalid(
    "previous_response_id",
    `The response "${id}" is not stored. Responses are kept in memory only, until newer ones take their place or Corral restarts; send the earlier turns in input instead.`,
    "previous_response_not_found",
  );
}

/** What was answered, as the next request goes on from it. */
function outputMessages({ output }: ResponseObject): EngineMessage[] {
  const messages: EngineMessage[] = [];
  for (const item of output) {
    const last = messages.at(-1);
    if (item.type === "message") {
      messages.push({ role: "assistant", text: item.content.map(({ text }) => text).join("") });
    } else {
      const called = { id: item.call_id, name: item.name, arguments: item.arguments };
      if (last === undefined) messages.push({ role: "assistant", text: "", toolCalls: [called] });
      else messages[messages.length - 1] = withCall(last, called);
    }
  }
  return messages;
}

function emptyResponse(request: ResponsesRequest, call: ApiCall): ResponseObject {
  return {
    id: call.newId("resp_"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    model: request.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: request.service_tier ?? "default",
    store: request.store ?? true,
    temperature: request.temperature ?? null,
    text: { format: request.text?.format ?? { type: "text" } },
    tool_choice: request.tool_choice ?? "auto",
    tools: request.tools ?? [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: "disabled",
    usage: null,
    user: request.user ?? null,
    completed_at: null,
  };
}
