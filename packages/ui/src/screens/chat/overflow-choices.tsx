import type { ErrorReport, Message, OverflowChoice } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useChat } from "../../stores/stores.tsx";

/** With which settings of the conversation a question that did not fit would. */
export function overflowChoices(error: ErrorReport | null): OverflowChoice[] {
  if (error?.code !== "CONTEXT_OVERFLOW") return [];
  return (error.data as { choices?: OverflowChoice[] } | undefined)?.choices ?? [];
}

/** The ways to make room for an answer; each is kept for the conversation and answers at once. */
export function OverflowChoices({ message, choices }: { message: Message; choices: OverflowChoice[] }) {
  const { t } = useTranslation("tools");
  const makeRoom = useChat((state) => state.makeRoom);
  const busy = useChat((state) => state.messages.at(-1)?.state === "streaming");
  const words = {
    "drop-oldest": t("overflow.drop-oldest"),
    summarise: t("overflow.summarise"),
    "shorter-documents": t("overflow.shorter-documents"),
    stop: t("overflow.stop"),
  };
  return (
    <div role="group" aria-label={t("overflow.choose")} className="flex flex-wrap items-center gap-2">
      <span aria-hidden="true">{t("overflow.choose")}</span>
      {choices.map((choice) => (
        <Button key={choice} size="small" disabled={busy} onClick={() => void makeRoom(message.id, choice)}>
          {words[choice]}
        </Button>
      ))}
    </div>
  );
}
