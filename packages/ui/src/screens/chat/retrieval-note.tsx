import type { Message } from "@corral/protocol";
import { Info } from "lucide-react";
import { useTranslation } from "react-i18next";
import { count } from "./number-formats.ts";

/** What had to stay out of the prompt, or is there in short. Nothing is dropped without saying so. */
export function RetrievalNote({ message }: { message: Message }) {
  const { t } = useTranslation(["chat", "tools"]);
  const { retrieval, summary } = message;
  if (!retrieval && !summary) return null;
  const { omitted = 0, omittedTurns = 0, omittedResults = 0, omittedTokens = 0 } = retrieval ?? {};
  const left = [
    omitted > 0 && t("sources.omitted", { count: omitted }),
    omittedTurns > 0 && t("sources.omittedTurns", { count: omittedTurns }),
    omittedResults > 0 && t("tools:overflow.results", { count: omittedResults }),
  ].filter((note) => note !== false);
  if (left.length > 0 && omittedTokens > 0) left.push(t("tools:overflow.tokens", { tokens: count(omittedTokens) }));
  const how = [
    retrieval?.mode === "whole" && t("sources.whole", { count: retrieval.included }),
    retrieval?.query !== undefined && t("sources.searchedFor", { query: retrieval.query.replace(/\s+/g, " ") }),
  ].filter((note) => note !== false);
  if (left.length + how.length === 0 && !summary) return null;
  return (
    <div className="flex items-start gap-1.5 text-sm text-ink-muted">
      <Info aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
      <div className="flex min-w-0 flex-col gap-1">
        {how.map((note) => (
          <p key={note} className="[overflow-wrap:anywhere]">
            {note}
          </p>
        ))}
        {left.length > 0 && <p>{left.join(" ")}</p>}
        {summary && (
          <>
            <p>{t("tools:overflow.summarised", { count: summary.turns })}</p>
            <details>
              <summary className="w-fit cursor-pointer rounded-sm underline underline-offset-2 hover:text-ink">
                {t("tools:overflow.showSummary")}
              </summary>
              <p className="mt-1 border-l-2 border-line pl-3 whitespace-pre-wrap [overflow-wrap:anywhere]">
                {summary.text}
              </p>
            </details>
          </>
        )}
      </div>
    </div>
  );
}
