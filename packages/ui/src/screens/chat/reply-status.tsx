import type { Message } from "@corral/protocol";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useChat, useModels } from "../../stores/stores.tsx";
import type { ReplyProgress } from "../../stores/reply-follower.ts";
import { percent, roughTime } from "./number-formats.ts";

/** What an answer is waiting for, in words and, where it is known, how far that is. */
export function ReplyStatus({ message }: { message: Message }) {
  const { t } = useTranslation(["chat", "tools"]);
  const progress = useChat((state) => state.progress[message.id]);
  const modelName = useModels((state) => state.models.find(({ id }) => id === message.model)?.name);
  const model = modelName ?? t("status.theModel");
  const phase = progress?.phase ?? "starting";
  // The words that appear say enough.
  if (phase === "writing" && message.text) return null;

  const fraction = progress && "fraction" in progress ? progress.fraction : null;
  const words: Record<ReplyProgress["phase"], string> = {
    starting: t("status.starting"),
    "loading-model":
      fraction === null
        ? t("status.loadingModelUnknown", { model })
        : t("status.loadingModel", { model, percent: percent(fraction) }),
    queued: progress?.phase === "queued" ? queuedWords(progress, t) : "",
    summarising: t("tools:status.summarising"),
    reading: progress?.phase === "reading" ? readingWords(progress, t) : "",
    tool: t("tools:status.tool"),
    approval: t("tools:status.approval"),
    continuing: t("tools:status.continuing"),
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

/** Below this a time left is no longer worth telling, ms. */
const shortestTime = 2_000;

type Words = TFunction<readonly ["chat", "tools"]>;

function queuedWords({ place, estimateMs }: Extract<ReplyProgress, { phase: "queued" }>, t: Words): string {
  if (place === null) return t("status.queued");
  if (estimateMs === null || estimateMs < shortestTime) return t("tools:status.queuedPlace", { count: place });
  return t("tools:status.queuedPlaceTime", { count: place, time: roughTime(estimateMs) });
}

function readingWords({ fraction, leftMs }: Extract<ReplyProgress, { phase: "reading" }>, t: Words): string {
  if (leftMs === null || leftMs < shortestTime) return t("status.reading", { percent: percent(fraction) });
  return t("tools:status.readingLeft", { percent: percent(fraction), time: roughTime(leftMs) });
}
