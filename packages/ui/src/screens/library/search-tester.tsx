import { Search, SearchX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { TextField } from "../../components/text-field.tsx";
import type { SearchResult } from "../../stores/library-store.ts";
import { useLibrary } from "../../stores/stores.tsx";
import { Hit } from "./search-hit.tsx";
import { SearchNotes } from "./search-notes.tsx";
import { SearchSyntax } from "./search-syntax.tsx";

/** How long typing must pause before a search starts, ms. */
const pause = 200;
const hitLimit = 20;

/** Shows which passages a search finds, in which order and why, without asking a model. */
export function SearchTester({ collectionId }: { collectionId: string }) {
  const { t, i18n } = useTranslation(["library", "finding"]);
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
        <div role="status" className="mt-1 flex min-h-6 items-center gap-2 text-sm text-ink-muted">
          {wanted && answered?.query !== wanted && <Spinner label={t("search.busy")} />}
          {result && !result.error && answered?.query === wanted && (
            <p>
              {t("search.found", {
                count: result.hits.length,
                ms: result.tookMs.toLocaleString(i18n.language, { maximumFractionDigits: 1 }),
              })}
              {" · "}
              {t("finding:ran", {
                legs: new Intl.ListFormat(i18n.language).format(result.legs.map((leg) => t(`finding:ranLeg.${leg}`))),
              })}
            </p>
          )}
        </div>
        {result && <SearchNotes notes={result.notes} />}
        <div className="mt-1">
          <SearchSyntax onUse={(example) => setQuery((before) => `${before} ${example}`.trim())} />
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
              <Hit hit={hit} rank={at + 1} legs={result.legs} />
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
