import { useTranslation } from "react-i18next";

const examples = [
  ["words", "winter gate"],
  ["phrase", '"winter gate"'],
  ["exclude", "-draft"],
  ["file", 'file:"annual report"'],
  ["collection", "collection:manuals"],
  ["type", "type:pdf"],
  ["date", "date:2026-03"],
] as const;

/** What can be typed into the search field besides words; a press on an example adds it. */
export function SearchSyntax({ onUse }: { onUse: (example: string) => void }) {
  const { t } = useTranslation("finding");
  return (
    <details className="text-sm">
      <summary className="w-fit rounded-sm text-ink-muted hover:text-ink">{t("syntax.title")}</summary>
      <ul className="mt-2 grid max-sm:max-h-40 max-sm:overflow-y-auto gap-x-4 gap-y-1 sm:grid-cols-[max-content_1fr]">
        {examples.map(([key, example]) => (
          <li key={key} className="contents">
            <button
              type="button"
              onClick={() => onUse(example)}
              className="w-fit rounded-sm bg-hover px-1.5 font-mono text-xs leading-6 hover:bg-accent-soft hover:text-accent-ink"
            >
              {example}
            </button>
            <span className="text-ink-muted max-sm:mb-1">{t(`syntax.${key}`)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-2 text-ink-muted">{t("syntax.only")}</p>
    </details>
  );
}
