import type { Citation } from "@corral/protocol";
import { Quote, TextQuote, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { Tooltip } from "../../components/tooltip.tsx";

/** The passages an answer rests on; each opens its document at the place. */
export function SourceCards(props: {
  citations: readonly Citation[];
  /** Whether there is an answer that rests on them. Without one they are what the search found. */
  answered: boolean;
  /** The number of the one that is open. */
  active: number | null;
  onOpen: (citation: Citation) => void;
}) {
  const { t } = useTranslation("chat");
  if (props.citations.length === 0) return null;
  return (
    <section aria-label={t("sources.title", { count: props.citations.length })}>
      <ul className="grid gap-2 sm:grid-cols-[repeat(auto-fill,minmax(17rem,1fr))]">
        {props.citations.map((citation) => (
          <li key={citation.number} className="min-w-0">
            <SourceCard
              citation={citation}
              answered={props.answered}
              current={props.active === citation.number}
              onOpen={() => props.onOpen(citation)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function SourceCard(props: { citation: Citation; answered: boolean; current: boolean; onOpen: () => void }) {
  const { citation, answered, current, onOpen } = props;
  const { t } = useTranslation("chat");
  const { number, document, page, label, quote, support, statement = "" } = citation;
  return (
    <button
      type="button"
      onClick={onOpen}
      className={`flex h-full w-full flex-col gap-1.5 rounded-lg border bg-surface px-3 py-2.5 text-left transition-colors hover:border-accent ${
        current ? "border-accent ring-1 ring-accent" : "border-line"
      }`}
    >
      <span className="flex w-full items-center gap-2 text-sm">
        <span className="sr-only">{t("sources.open", { number, document })}</span>
        <span
          aria-hidden="true"
          className="flex h-5 min-w-5 items-center justify-center rounded-sm bg-accent-soft px-1 text-xs font-semibold text-accent-ink tabular-nums"
        >
          {number}
        </span>
        <span aria-hidden="true" className="min-w-0 flex-1 truncate font-medium">
          {document}
        </span>
        {(label ?? page) !== null && (
          <span className="max-w-1/2 shrink-0 truncate text-xs text-ink-muted">
            {label ?? t("sources.page", { page })}
          </span>
        )}
      </span>
      <span className="line-clamp-3 text-sm text-ink-muted [overflow-wrap:anywhere]">{quote}</span>
      {answered && (
        <Tooltip label={t(`sources.${support}Help`, { statement })}>
          <span className="mt-auto pt-0.5">
            <Badge tone={badges[support].tone} icon={badges[support].icon}>
              {t(`sources.${support}`)}
            </Badge>
          </span>
        </Tooltip>
      )}
    </button>
  );
}

const badges = {
  verbatim: { tone: "accent", icon: <Quote aria-hidden="true" /> },
  paraphrase: { tone: "neutral", icon: <TextQuote aria-hidden="true" /> },
  unsupported: { tone: "warning", icon: <TriangleAlert aria-hidden="true" /> },
} as const;
