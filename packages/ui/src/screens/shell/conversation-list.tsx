import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote } from "../../components/error-note.tsx";
import { useConversations } from "../../stores/stores.tsx";
import { groupByDay } from "./conversation-groups.ts";
import { ConversationItem } from "./conversation-item.tsx";

/** All conversations by the day they were last used on, or those a search finds. */
export function ConversationList() {
  const { t } = useTranslation("shell");
  const conversations = useConversations((state) => state.conversations);
  const loaded = useConversations((state) => state.loaded);
  const search = useConversations((state) => state.search);
  const error = useConversations((state) => state.error);
  const dismissError = useConversations((state) => state.dismissError);
  const groups = useMemo(() => groupByDay(conversations, new Date()), [conversations]);

  return (
    <nav aria-label={t("conversations")} className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
      {error && error.code !== "HOST_UNREACHABLE" && (
        <ErrorNote onDismiss={dismissError} className="my-2">
          {error.message}
        </ErrorNote>
      )}
      {loaded && conversations.length === 0 && (
        <p className="px-2.5 py-3 text-sm text-ink-muted [overflow-wrap:anywhere]">
          {search ? t("searchEmpty", { search }) : t("noConversations")}
        </p>
      )}
      {groups.map(({ group, conversations: members }) => (
        <section key={group} aria-labelledby={`conversations-${group}`}>
          <h2 id={`conversations-${group}`} className="px-2.5 pt-4 pb-1 text-xs font-medium text-ink-muted">
            {t(group)}
          </h2>
          <ul>
            {members.map((conversation) => (
              <li key={conversation.id} className="[contain-intrinsic-size:auto_2.25rem] [content-visibility:auto]">
                <ConversationItem conversation={conversation} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
