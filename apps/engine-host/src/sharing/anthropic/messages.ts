import { apiErrorOf } from "../api-error.ts";
import type { ApiCall } from "../api-call.ts";
import { eventFrame, eventStream } from "../event-stream.ts";
import { carryOut } from "../generation.ts";
import { chooseModel } from "../model-choice.ts";
import { readJson } from "../request-body.ts";
import { errorBody } from "./error-body.ts";
import { messageFrames, wholeMessage } from "./message-reply.ts";
import { engineMessages, readMessagesRequest, wishesOf } from "./messages-request.ts";

/** POST /v1/messages */
export async function messages(call: ApiCall): Promise<Response> {
  const request = readMessagesRequest(await readJson(call.request));
  const prompt = engineMessages(request);
  const wishes = wishesOf(request);
  const choice = await chooseModel(request.model, request.corral, call.services);
  const parts = carryOut(
    {
      ...choice,
      client: call.clientFor(request.corral?.priority ?? null),
      prompt,
      maxTokens: request.max_tokens,
      choices: 1,
      wishes,
    },
    call.services,
    call.signal,
  );
  const frame = { id: call.newId("msg_"), model: request.model };
  if (request.stream !== true) return Response.json(await wholeMessage(frame, parts));
  return eventStream(messageFrames(frame, parts), {
    heartbeat: eventFrame("ping", { type: "ping" }),
    failure: (thrown) => {
      call.noteFailure(thrown);
      return eventFrame("error", errorBody(apiErrorOf(thrown), null));
    },
    onEnd: (how) => call.end(how),
  });
}
