import { useTranslation } from "react-i18next";
import { classNames } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

export interface ContextMeterProps {
  /** Tokens the prompt would take. */
  usedTokens: number;
  /** Tokens kept free for the reply. */
  replyTokens: number;
  /** Tokens the context holds. */
  contextSize: number;
}

/** How full the context would be if the draft were sent now. Turns to a warning when the reply no longer has its room. */
export function ContextMeter({ usedTokens, replyTokens, contextSize }: ContextMeterProps) {
  const { t, i18n } = useTranslation("components");
  const number = new Intl.NumberFormat(i18n.language);
  const compact = new Intl.NumberFormat(i18n.language, { notation: "compact", maximumFractionDigits: 1 });
  const share = contextSize > 0 ? Math.min(1, usedTokens / contextSize) : 0;
  const tight = usedTokens + replyTokens > contextSize;
  const full = usedTokens >= contextSize;
  const explanation = t(full ? "contextMeter.full" : tight ? "contextMeter.tight" : "contextMeter.explanation", {
    used: number.format(usedTokens),
    size: number.format(contextSize),
    reply: number.format(replyTokens),
  });
  return (
    <Tooltip label={explanation}>
      <span
        tabIndex={0}
        role="meter"
        aria-label={t("contextMeter.label")}
        aria-valuemin={0}
        aria-valuemax={contextSize}
        aria-valuenow={Math.min(usedTokens, contextSize)}
        aria-valuetext={explanation}
        className="inline-flex items-center gap-2 rounded-sm text-xs text-ink-muted tabular-nums"
      >
        <span className="h-1.5 w-14 overflow-hidden rounded-full bg-line-strong/35">
          <span
            className={classNames(
              "block h-full origin-left rounded-full transition-transform",
              full ? "bg-danger" : tight ? "bg-warning" : "bg-accent",
            )}
            style={{ transform: `scaleX(${share})` }}
          />
        </span>
        <span>
          {compact.format(usedTokens)} / {compact.format(contextSize)}
        </span>
      </span>
    </Tooltip>
  );
}
