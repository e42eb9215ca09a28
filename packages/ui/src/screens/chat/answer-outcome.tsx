import type { Message } from "@corral/protocol";
import { CircleStop } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { useChat, useNavigation } from "../../stores/stores.tsx";
import { OverflowChoices, overflowChoices } from "./overflow-choices.tsx";

/** How an answer ended, when it did not end by itself: why, and what can be done. */
export function AnswerOutcome({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const regenerate = useChat((state) => state.regenerate);
  const busy = useChat((state) => state.messages.at(-1)?.state === "streaming");
  const show = useNavigation((state) => state.show);

  if (message.state === "cancelled") {
    return (
      <p className="flex items-center gap-1.5 text-sm text-ink-muted">
        <CircleStop aria-hidden="true" className="size-4 shrink-0" />
        {t("message.cancelled")}
      </p>
    );
  }
  if (message.state === "interrupted" || message.state === "failed") {
    const fallback = t(message.state === "failed" ? "message.failed" : "message.interrupted");
    const code = message.error?.code;
    const choices = overflowChoices(message.error);
    return (
      <ErrorNote
        tone={message.state === "failed" ? "danger" : "warning"}
        action={
          <>
            {code === "NO_MODEL" && (
              <Button size="small" onClick={() => show("models")}>
                {t("model.openModels")}
              </Button>
            )}
            {choices.length > 0 ? (
              <OverflowChoices message={message} choices={choices} />
            ) : (
              <Button size="small" disabled={busy} onClick={() => void regenerate(message.id)}>
                {t("message.retry")}
              </Button>
            )}
          </>
        }
      >
        {message.error?.message ?? fallback}
      </ErrorNote>
    );
  }
  if (message.finishReason === "length") {
    return <p className="text-sm text-ink-muted">{t("message.length")}</p>;
  }
  return null;
}
