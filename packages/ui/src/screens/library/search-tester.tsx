import type { SearchHit } from "@corral/protocol";
import { Search, SearchX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { TextField } from "../../components/text-field.tsx";
import type { SearchResult } from "../../stores/library-store.ts";
import { useLibrary, useStores } from "../../stores/stores.tsx";

/** How long typing must pause before a search starts, ms. */
const pause = 200;
const hitLimit = 20;

/** Shows which passages a question would find, and in which order, without asking a model. */
export function SearchTester({ collectionId }: { collectionId: string }) {
  const { t, i18n } = useTranslation("library");
  const search = useLibrary((state) => state.search);
  const [query, setQuery] = useState("");
  const [answered, setAnswered] = useState<{ query: string; result: SearchResult } | null>(null);
  const sources = useMemo(() => ({ collectionIds: [collectionId], documentIds: [] }), [collectionId]);
  const wanted = query.trim();

  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      void search(wanted, sources, hitLimit, stop.signal).then(
        (result) => result && setAnswered({ query: wanted, result }),
      );
    }, pause);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [wanted, sources, search]);

  const result = wanted ? answered?.result : undefined;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="px-4 pb-2 md:px-6">
        <TextField
          label={t("search.label")}
          type="search"
          placeholder={t("search.placeholder")}
          icon={<Search aria-hidden="true" />}
          hint={t("search.hint")}
          value={query}
          maxLength={10_000}
          onChange={(event) => setQuery(event.target.value)}
        />
        <div role="status" className="mt-1 flex h-6 items-center gap-2 text-sm text-ink-muted">
          {wanted && answered?.query !== wanted && <Spinner label={t("search.busy")} />}
          {result && !result.error && answered?.query === wanted && (
            <p>
              {t("search.found", {
                count: result.hits.length,
                ms: result.tookMs.toLocaleString(i18n.language, { maximumFractionDigits: 1 }),
              })}
            </p>
          )}
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 pb-4 md:px-6">
        {result?.error && <ErrorNote>{result.error.message}</ErrorNote>}
        {result && !result.error && result.hits.length === 0 && answered?.query === wanted && (
          <EmptyState icon={<SearchX />} title={t("search.nothing")}>
            {t("search.nothingHint")}
          </EmptyState>
        )}
        <ol className="flex flex-col gap-2">
          {result?.hits.map((hit, at) => (
            <li key={hit.chunkId}>
              <Hit hit={hit} rank={at + 1} />
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

function Hit({ hit, rank }: { hit: SearchHit; rank: number }) {
  const { t, i18n } = useTranslation("library");
  const stores = useStores();
  const open = () => {
    const document = stores.library.getState().documents.find(({ id }) => id === hit.documentId);
    stores.source
      .getState()
      .openDocument(
        { id: hit.documentId, name: hit.document, pageCount: document?.pageCount ?? null },
        hit.page ?? 1,
        hit.spans,
      );
  };
  const place = [hit.page !== null && t("search.page", { page: hit.page }), ...hit.headingPath].filter(Boolean);
  return (
    <button
      type="button"
      onClick={open}
      className="block w-full rounded-lg border border-line bg-surface px-4 py-3 text-left transition-colors hover:border-line-strong"
    >
      <span className="flex items-baseline gap-2">
        <span className="text-sm text-ink-muted tabular-nums">{rank}</span>
        <span className="min-w-0 flex-1 truncate font-medium">{hit.document}</span>
        <span className="text-sm text-ink-muted tabular-nums">
          {t("search.score", {
            score: hit.score.toLocaleString(i18n.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
          })}
        </span>
      </span>
      {place.length > 0 && <span className="block truncate text-sm text-ink-muted">{place.join(" › ")}</span>}
      <span dir="auto" className="mt-1 line-clamp-4 [overflow-wrap:anywhere]">
        {hit.text}
      </span>
    </button>
  );
}
