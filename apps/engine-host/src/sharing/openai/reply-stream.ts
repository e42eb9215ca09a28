import { apiErrorOf } from "../api-error.ts";
import type { ApiCall } from "../api-call.ts";
import { comment, dataFrame, eventStream } from "../event-stream.ts";
import { errorBody } from "./error-body.ts";

/** A stream in OpenAI's form: one that breaks ends with the error as its data, and without "[DONE]". */
export function replyStream(call: ApiCall, frames: AsyncGenerator<string, void>): Promise<Response> {
  return eventStream(frames, {
    heartbeat: comment("waiting"),
    failure: (thrown) => {
      call.noteFailure(thrown);
      return dataFrame(errorBody(apiErrorOf(thrown)));
    },
    onEnd: (how) => call.end(how),
  });
}
