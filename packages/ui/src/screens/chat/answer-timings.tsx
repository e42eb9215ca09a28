import type { Message } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Tooltip } from "../../components/tooltip.tsx";
import { useModels } from "../../stores/stores.tsx";
import { count, duration } from "./number-formats.ts";

/** Time to the first token, tokens and their rate; more on hover and focus. */
export function AnswerTimings({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const model = useModels((state) => state.models.find(({ id }) => id === message.model)?.name ?? message.model);
  const { timings, usage } = message;
  if (!timings || !usage) return null;
  const detail = t("message.timingsDetail", {
    model: model ?? t("status.theModel"),
    retrieval: duration(timings.retrievalMs),
    prefill: duration(timings.prefillMs),
    promptTokens: count(usage.promptTokens),
    cachedTokens: count(usage.cachedTokens),
    decode: duration(timings.decodeMs),
  });
  return (
    <Tooltip label={detail}>
      <span tabIndex={0} className="rounded-sm px-1.5 text-xs text-ink-muted tabular-nums">
        {t("message.timings", {
          first: duration(timings.timeToFirstTokenMs),
          tokens: count(usage.completionTokens),
          rate: count(timings.decodeTokensPerSecond),
        })}
      </span>
    </Tooltip>
  );
}
