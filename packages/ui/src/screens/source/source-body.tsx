import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useSource } from "../../stores/stores.tsx";
import { PagePicture } from "./page-picture.tsx";
import { SectionText } from "./section-text.tsx";

/** The page itself: its picture and text, or why they cannot be shown. Comes into view at the first mark. */
export function SourceBody() {
  const { t } = useTranslation("source");
  const source = useSource((state) => state.source);
  const page = useSource((state) => state.page);
  const loading = useSource((state) => state.pageLoading);
  const pictureUrl = useSource((state) => state.pictureUrl);
  const error = useSource((state) => state.error);
  const retry = useSource((state) => state.retry);
  const scroller = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const area = scroller.current;
    if (!area || !page) return;
    const mark = area.querySelector("[data-testid=mark-box], mark");
    // A third from the top: what leads up to the passage stays in sight.
    const offset = mark
      ? mark.getBoundingClientRect().top - area.getBoundingClientRect().top - area.clientHeight / 3
      : 0;
    area.scrollTo({ top: mark ? area.scrollTop + offset : 0 });
  }, [page]);

  if (!source) return null;
  const quote = source.citation?.quote;
  const pictured = page !== null && page.width !== null && page.height !== null;
  const pictureMissing = pictured && error !== null;
  return (
    <div
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={t("content")}
      aria-busy={loading}
      className="min-h-0 flex-1 overflow-y-auto p-3 focus-visible:-outline-offset-2"
    >
      {loading && (
        <div className="flex justify-center py-16">
          <Spinner label={t("loading")} />
        </div>
      )}
      {error && (
        <ErrorNote
          className="mb-3"
          tone={page ? "warning" : "danger"}
          action={
            <Button size="small" onClick={retry}>
              {t("tryAgain")}
            </Button>
          }
        >
          {pictureMissing ? t(error.code === "FILE_NOT_FOUND" ? "fileMoved" : "pictureFailed") : error.message}
          {pictureMissing && error.code !== "FILE_NOT_FOUND" && <> {error.message}</>}
        </ErrorNote>
      )}
      {pictured && !error && (
        <PagePicture page={{ ...page, width: page.width!, height: page.height! }} url={pictureUrl} />
      )}
      {page && (
        <section aria-label={t("text")} className={pictured && !error ? "mt-4" : ""}>
          {pictured && (
            <div className="flex items-center justify-between">
              <h3 className="text-sm font-medium text-ink-muted">{t("text")}</h3>
              {quote && <CopyButton label={t("copyPassage")} text={quote} />}
            </div>
          )}
          <div
            dir="auto"
            className="rounded-md border border-line bg-surface px-4 py-3 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap"
          >
            {page.text ? (
              <SectionText page={page} spans={source.spans} />
            ) : (
              <span className="text-ink-muted">{t("emptyPage")}</span>
            )}
          </div>
          {!pictured && quote && (
            <div className="mt-1 flex justify-end">
              <CopyButton label={t("copyPassage")} text={quote} />
            </div>
          )}
        </section>
      )}
    </div>
  );
}
