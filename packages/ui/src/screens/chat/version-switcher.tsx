import type { Message } from "@corral/protocol";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { useChat } from "../../stores/stores.tsx";

/** ‹ 1/2 ›: the versions of a question or an answer, where there is more than one. */
export function VersionSwitcher({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const select = useChat((state) => state.selectVersion);
  const at = message.versions.indexOf(message.id);
  if (message.versions.length < 2 || at < 0) return null;
  const previous = message.versions[at - 1];
  const next = message.versions[at + 1];
  const position = { number: at + 1, count: message.versions.length };
  return (
    <span role="group" aria-label={t("message.version", position)} className="flex items-center text-ink-muted">
      <IconButton
        size="small"
        label={t("message.previousVersion")}
        icon={<ChevronLeft aria-hidden="true" />}
        disabled={!previous}
        onClick={() => previous && void select(previous)}
      />
      <span aria-hidden="true" className="text-xs tabular-nums">
        {position.number}/{position.count}
      </span>
      <IconButton
        size="small"
        label={t("message.nextVersion")}
        icon={<ChevronRight aria-hidden="true" />}
        disabled={!next}
        onClick={() => next && void select(next)}
      />
    </span>
  );
}
