import type { ApiCall } from "../api-call.ts";
import { carryOut } from "../generation.ts";
import { chooseModel } from "../model-choice.ts";
import { readJson } from "../request-body.ts";
import { chatReplyFrames, wholeChatReply, type ChatReplyFrame } from "./chat-reply.ts";
import { engineMessages, readChatRequest, wishesOf, type ChatRequest } from "./chat-request.ts";
import { replyStream } from "./reply-stream.ts";

/** POST /v1/chat/completions */
export async function chatCompletions(call: ApiCall): Promise<Response> {
  const request = readChatRequest(await readJson(call.request));
  const prompt = engineMessages(request.messages);
  const wishes = wishesOf(request);
  const choice = await chooseModel(request.model, request.corral, call.services);
  const parts = carryOut(
    {
      ...choice,
      client: call.clientFor(priorityOf(request)),
      prompt,
      maxTokens: request.max_completion_tokens ?? request.max_tokens ?? null,
      choices: request.n ?? 1,
      wishes,
    },
    call.services,
    call.signal,
  );
  const frame: ChatReplyFrame = {
    id: call.newId("chatcmpl-"),
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    system_fingerprint: call.fingerprint,
  };
  const wantsLogprobs = request.logprobs === true;
  if (request.stream !== true) return Response.json(await wholeChatReply(frame, parts, wantsLogprobs));
  const includeUsage = request.stream_options?.include_usage === true;
  return replyStream(call, chatReplyFrames(frame, parts, { includeUsage, wantsLogprobs }));
}

/** OpenAI's "flex" is cheaper and slower: what can wait. */
function priorityOf({ corral, service_tier: tier }: ChatRequest): "interactive" | "batch" | null {
  return corral?.priority ?? (tier === "flex" ? "batch" : null);
}
