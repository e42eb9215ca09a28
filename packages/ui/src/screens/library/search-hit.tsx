import type { HitLegs, SearchHit, SearchLeg } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { useStores } from "../../stores/stores.tsx";

/** A passage that was found, with its place and score in each way of ranking; a press opens the source there. */
export function Hit({ hit, rank, legs }: { hit: SearchHit; rank: number; legs: readonly SearchLeg[] }) {
  const { t } = useTranslation(["library", "finding"]);
  const stores = useStores();
  const open = () => {
    const document = stores.library.getState().documents.find(({ id }) => id === hit.documentId);
    stores.source
      .getState()
      .openDocument(
        { id: hit.documentId, name: hit.document, pageCount: document?.pageCount ?? null },
        hit.spans[0]?.page ?? hit.page ?? 1,
        hit.spans,
      );
  };
  const named = hit.label ?? (hit.page !== null && t("search.page", { page: hit.page }));
  const place = [named, ...hit.headingPath].filter(Boolean);
  return (
    <article className="rounded-lg border border-line bg-surface transition-colors hover:border-line-strong">
      <button type="button" onClick={open} className="block w-full rounded-lg px-4 pt-3 pb-2 text-left">
        <span className="flex items-baseline gap-2">
          <span className="text-sm text-ink-muted tabular-nums">{rank}</span>
          <span className="min-w-0 flex-1 truncate font-medium">{hit.document}</span>
        </span>
        {place.length > 0 && <span className="block truncate text-sm text-ink-muted">{place.join(" › ")}</span>}
        <span dir="auto" className="mt-1 line-clamp-4 [overflow-wrap:anywhere]">
          {hit.text}
        </span>
      </button>
      <div className="flex flex-wrap items-baseline gap-x-5 gap-y-1 border-t border-line px-4 py-1.5 text-sm">
        <dl aria-label={t("finding:scores")} className="contents">
          {legs.map((leg) => (
            <Leg key={leg} leg={leg} found={hit.legs[leg]} />
          ))}
        </dl>
        <p className="text-ink-muted">{t(`finding:why.${whyFound(hit.legs, legs)}`)}</p>
      </div>
    </article>
  );
}

function Leg({ leg, found }: { leg: SearchLeg; found: HitLegs[SearchLeg] }) {
  const { t, i18n } = useTranslation("finding");
  const digits = leg === "lexical" ? 2 : 3;
  return (
    <div className="flex items-baseline gap-1.5">
      <dt className="text-ink-muted">{t(`leg.${leg}`)}</dt>
      {found ? (
        <dd className="tabular-nums">
          <span className="font-medium">
            {found.score.toLocaleString(i18n.language, {
              minimumFractionDigits: digits,
              maximumFractionDigits: digits,
            })}
          </span>{" "}
          <span className="text-ink-muted">{t("rank", { rank: found.rank })}</span>
        </dd>
      ) : (
        <dd className="text-ink-muted">{t(leg === "rerank" ? "notRead" : "notFound")}</dd>
      )}
    </div>
  );
}

function whyFound(found: HitLegs, ran: readonly SearchLeg[]): "rerank" | "both" | "dense" | "lexical" | "wordsOnly" {
  if (found.rerank) return "rerank";
  if (found.lexical && found.dense) return "both";
  if (found.dense) return "dense";
  return ran.includes("dense") ? "lexical" : "wordsOnly";
}
