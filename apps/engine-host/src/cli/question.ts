import { CorralError, type ConversationSettings, type CorralClient, type Message } from "@corral/protocol";
import { duration, type Output } from "./output.ts";

/**
 * Asks one question in a conversation of its own, which is removed afterwards, and prints the answer as it is written.
 * @throws CorralError what the reply failed with; CANCELLED when `signal` aborts
 */
export async function askOnce(
  client: CorralClient,
  question: string,
  settings: Partial<ConversationSettings>,
  output: Output,
  signal: AbortSignal,
): Promise<Message> {
  const conversation = await client.conversations.create({ settings }, { signal });
  const conversationId = conversation.id;
  try {
    const { reply } = await client.chat.send({ conversationId, text: question }, { signal });
    const answer = await followReply(client, reply.id, output, signal);
    if (answer.state === "complete") return answer;
    if (answer.text === "" && answer.citations.length > 0 && !output.json) {
      output.note(`What the search found:\n${describeCitations(answer)}`);
    }
    const { code, message, data } = answer.error ?? notFinished(answer);
    throw new CorralError(code, message, (data ?? {}) as never);
  } finally {
    // Removing a conversation stops its reply; a host that is gone needs no tidying.
    await client.conversations.remove({ conversationId }).catch(() => undefined);
  }
}

function notFinished(answer: Message): { code: "CANCELLED" | "ENGINE_CRASHED"; message: string; data: unknown } {
  if (answer.state === "cancelled") return { code: "CANCELLED", message: "The answer was stopped.", data: {} };
  const message = "The answer was interrupted because the model's process ended. Ask again.";
  return { code: "ENGINE_CRASHED", message, data: { model: answer.model ?? "" } };
}

async function followReply(client: CorralClient, messageId: string, output: Output, signal: AbortSignal) {
  for await (const part of await client.chat.follow({ messageId }, { signal })) {
    switch (part.type) {
      case "snapshot":
        if (part.message.text !== "") output.stream(part.message.text);
        break;
      case "waiting":
        if (part.reason === "queue") output.status("Waiting for other answers to finish …");
        else if (part.reason === "summarising") output.status("Summarising the oldest messages …");
        else {
          const percent = part.progress === null ? "" : ` ${Math.round(part.progress * 100)} %`;
          output.status(`Loading the model …${percent}`, "Loading the model …");
        }
        break;
      case "retrieval":
        if (part.report.omitted > 0) {
          output.note(`Left out for lack of room: ${part.report.omitted} of ${part.report.found} passages found.`);
        }
        break;
      case "prefill-progress":
        output.status(`Reading ${part.done} of ${part.total} tokens …`, "Reading the passages …");
        break;
      case "text-delta":
        output.stream(part.text);
        break;
      case "citation":
      case "summary":
      case "tool-call":
        break;
      case "finish":
        output.clearStatus();
        return part.message;
    }
  }
  throw new CorralError("CANCELLED", "The answer was stopped.", {});
}

/** The sources of an answer, one line each. */
export function describeCitations(answer: Message): string {
  return answer.citations
    .map(({ number, document, page, quote }) => {
      const place = page === null ? document : `${document}, page ${page}`;
      return `  [${number}] ${place}: “${quote.replace(/\s+/g, " ").trim()}”`;
    })
    .join("\n");
}

/** How fast the answer came. */
export function describeSpeed(answer: Message): string {
  const { timings, usage } = answer;
  if (!timings || !usage) return "";
  const speed = timings.decodeTokensPerSecond > 0 ? `, ${timings.decodeTokensPerSecond.toFixed(1)} tokens/s` : "";
  return `first token after ${duration(timings.timeToFirstTokenMs)}, ${usage.completionTokens} tokens${speed}`;
}
