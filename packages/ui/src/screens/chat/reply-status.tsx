import type { Message } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useChat, useModels } from "../../stores/stores.tsx";
import { percent } from "./number-formats.ts";

/** What an answer is waiting for, in words and, where it is known, how far that is. */
export function ReplyStatus({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const progress = useChat((state) => state.progress[message.id]);
  const modelName = useModels((state) => state.models.find(({ id }) => id === message.model)?.name);
  const model = modelName ?? t("status.theModel");
  const phase = progress?.phase ?? "starting";
  // The words that appear say enough.
  if (phase === "writing" && message.text) return null;

  const fraction = progress && "fraction" in progress ? progress.fraction : null;
  const words = {
    starting: t("status.starting"),
    "loading-model":
      fraction === null
        ? t("status.loadingModelUnknown", { model })
        : t("status.loadingModel", { model, percent: percent(fraction) }),
    queued: t("status.queued"),
    reading: t("status.reading", { percent: percent(fraction ?? 0) }),
    writing: t("status.writing"),
  };
  return (
    <div className="flex flex-col gap-2 text-ink-muted">
      <p className="flex items-center gap-2">
        <Spinner label={words[phase]} />
        <span aria-hidden="true">{words[phase]}</span>
      </p>
      {fraction !== null && <ProgressBar label={words[phase]} value={fraction} className="max-w-56" />}
    </div>
  );
}
