import { useContext } from "react";
import { useTranslation } from "react-i18next";
import { classNames } from "../class-names.ts";
import { answerContext } from "./answer-context.ts";

/** The number of a source in an answer; pressing it opens the source. */
export function CitationChip({ number }: { number: number }) {
  const { t } = useTranslation("components");
  const { citations, activeCitation, onCitation } = useContext(answerContext);
  const citation = citations.get(number);
  if (!citation) return <>[{number}]</>;
  const active = activeCitation === number;
  const place = citation.label
    ? "markdown.sourceWithPlace"
    : citation.page
      ? "markdown.sourceWithPage"
      : "markdown.source";
  const label = t(place, { ...citation });
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={active}
      onClick={() => onCitation(number)}
      className={classNames(
        "mx-0.5 inline-flex h-[1.35em] min-w-[1.5em] items-center justify-center rounded-sm px-[0.35em] align-[0.12em] text-[0.75em] font-semibold tabular-nums transition-colors",
        active ? "bg-accent text-on-accent" : "bg-accent-soft text-accent-ink hover:bg-accent hover:text-on-accent",
      )}
    >
      {number}
    </button>
  );
}
