import type { Message, TurnSummary } from "@corral/protocol";
import type { EngineMessage } from "../engines/engine.ts";
import { withoutMarkers } from "./citations.ts";
import { stepMessages } from "./step-messages.ts";

/** A message as a later prompt sees it again. */
export type EarlierMessage = Pick<Message, "role" | "text"> &
  Partial<Pick<Message, "id" | "steps" | "summary" | "retrieval">>;

/** A question and its answer, as the model may see them again. */
export interface EarlierTurn {
  messages: EngineMessage[];
  /** The last message of it; null where the messages are not a stored conversation's. */
  lastMessageId: string | null;
}

/** Question and answer pairs that were answered, oldest first. */
export function turnsOf(history: EarlierMessage[]): EarlierTurn[] {
  const turns: EarlierTurn[] = [];
  for (const [at, reply] of history.entries()) {
    const question = history[at - 1];
    if (reply.role !== "assistant" || reply.text === "" || question?.role !== "user") continue;
    const messages = [{ role: "user" as const, text: question.text }, ...replyMessages(reply)];
    turns.push({ messages, lastMessageId: reply.id ?? null });
  }
  return turns;
}

/** The numbers in an earlier reply and in what its tools found belong to passages of an earlier prompt. */
function replyMessages({ text, steps = [] }: EarlierMessage): EngineMessage[] {
  const done = stepMessages(text, steps).map((message) => ({ ...message, text: withoutMarkers(message.text) }));
  const rest = withoutMarkers(text.slice(steps.at(-1)?.textEnd ?? 0)).trimStart();
  return rest === "" ? done : [...done, { role: "assistant", text: rest }];
}

/** Everything a turn says and who says it, as one text. */
export function textOfTurn({ messages }: EarlierTurn): string {
  return messages
    .map(({ role, text, toolCalls = [] }) =>
      [`${role}: ${text}`, ...toolCalls.map((call) => `${call.name} ${call.arguments}`)].join("\n"),
    )
    .join("\n");
}

/** The newest summary on this branch, and the turns it does not cover. */
export function splitAtSummary(history: EarlierMessage[]): { summary: TurnSummary | null; turns: EarlierTurn[] } {
  const turns = turnsOf(history);
  const summary = history.findLast((message) => message.summary)?.summary ?? null;
  const covered = turns.findIndex(({ lastMessageId }) => lastMessageId === summary?.throughMessageId);
  return summary !== null && covered >= 0 ? { summary, turns: turns.slice(covered + 1) } : { summary: null, turns };
}

/** A summary as the model sees it: said by itself, not with the system's authority, as anybody's words may be in it. */
export function summaryMessages({ text }: Pick<TurnSummary, "text">): EngineMessage[] {
  return [
    { role: "user", text: "What have we talked about so far?" },
    { role: "assistant", text },
  ];
}
