import { Settings2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useChat, useConversations } from "../../stores/stores.tsx";
import { useActiveModel } from "./active-model.ts";
import { Composer } from "./composer.tsx";
import { ConversationSettingsDialog } from "./conversation-settings.tsx";
import { EmptyChat } from "./empty-chat.tsx";
import { MessageList } from "./message-list.tsx";

/** A conversation: what was said, and where the next question is written. */
export function ChatScreen() {
  const { t } = useTranslation(["chat", "shell"]);
  const conversationId = useChat((state) => state.conversationId);
  const firstTitle = useChat((state) => state.title);
  // The list hears of a new name first, whoever gave it.
  const title = useConversations((state) => state.titles[conversationId ?? ""] ?? firstTitle);
  const opening = useChat((state) => state.opening);
  const isEmpty = useChat((state) => state.messages.length === 0);
  const model = useActiveModel();
  const [settingsOpen, setSettingsOpen] = useState(false);

  return (
    <section aria-label={t("messages")} className="flex h-full flex-col">
      <header className="flex items-center gap-2 px-4 py-2">
        <div className="min-w-0 flex-1">
          <h1 className="truncate font-semibold">{title || t("shell:untitled")}</h1>
          {model && <p className="truncate text-xs text-ink-muted">{model.name}</p>}
        </div>
        <IconButton
          label={t("settings")}
          icon={<Settings2 aria-hidden="true" />}
          onClick={() => setSettingsOpen(true)}
        />
      </header>
      {opening ? (
        <div className="flex flex-1 items-center justify-center gap-2 text-ink-muted">
          <Spinner label={t("opening")} />
          <span aria-hidden="true">{t("opening")}</span>
        </div>
      ) : isEmpty ? (
        <EmptyChat />
      ) : (
        <MessageList />
      )}
      <Composer />
      <ConversationSettingsDialog open={settingsOpen} onOpenChange={setSettingsOpen} />
    </section>
  );
}
