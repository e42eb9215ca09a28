import type { ConversationSettings } from "@corral/protocol";
import { procedure, signalOf, stream } from "./procedure.ts";

const area = procedure.conversations;

export const conversations = {
  watch: area.watch.handler(({ context, signal }) => stream(context.services.chat.watch(signalOf(signal)))),
  list: area.list.handler(({ input, context }) => context.services.chat.list(input.search)),
  create: area.create.handler(({ input, context }) => context.services.chat.create(given(input.settings))),
  get: area.get.handler(({ input, context }) => context.services.chat.get(input.conversationId)),
  rename: area.rename.handler(({ input, context }) => context.services.chat.rename(input.conversationId, input.title)),
  remove: area.remove.handler(({ input, context }) => context.services.chat.remove(input.conversationId)),
  configure: area.configure.handler(({ input, context }) =>
    context.services.chat.configure(input.conversationId, given(input.settings)),
  ),
  selectVersion: area.selectVersion.handler(({ input, context }) =>
    context.services.chat.selectVersion(input.messageId),
  ),
};

/** Only the settings that were given: a setting sent as undefined is one that stays as it is. */
function given(settings: {
  [Name in keyof ConversationSettings]?: ConversationSettings[Name] | undefined;
}): Partial<ConversationSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
