import { procedure, signalOf, stream } from "./procedure.ts";

const area = procedure.chat;

export const chat = {
  send: area.send.handler(({ input, context }) =>
    context.services.chat.send(input.conversationId, input.text, input.editedMessageId),
  ),
  regenerate: area.regenerate.handler(({ input, context }) => context.services.chat.regenerate(input.messageId)),
  follow: area.follow.handler(({ input, context, signal }) =>
    stream(context.services.chat.follow(input.messageId, signalOf(signal))),
  ),
  stop: area.stop.handler(({ input, context }) => context.services.chat.stop(input.messageId)),
  decide: area.decide.handler(({ input, context }) =>
    context.services.chat.decide(input.messageId, input.callId, input.decision),
  ),
  measure: area.measure.handler(({ input, context }) =>
    context.services.chat.measure(input.conversationId, input.draft),
  ),
};
