import type { TFunction } from "i18next";
import { X } from "lucide-react";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { useLibrary, useSource } from "../../stores/stores.tsx";
import { SourceBody } from "./source-body.tsx";
import { Stepper } from "./stepper.tsx";

/**
 * A document beside the answer, at the page a citation points to, with the passage marked.
 * Escape closes it; arrow left and right turn pages, with Shift they go through the answer's sources.
 */
export function SourcePanel() {
  const { t } = useTranslation("source");
  const source = useSource((state) => state.source);
  const citations = useSource((state) => state.citations);
  const page = useSource((state) => state.page);
  const goToPage = useSource((state) => state.goToPage);
  const step = useSource((state) => state.step);
  const close = useSource((state) => state.close);
  const document = useLibrary((state) => state.documents.find(({ id }) => id === source?.documentId));
  const heading = useFocusWhileOpen(source?.citation ?? source?.documentId);
  if (!source) return null;

  const pageCount = source.pageCount ?? document?.pageCount ?? null;
  const paged = document?.paged ?? (page === null || page.width !== null);
  const last = pageCount ?? Number.POSITIVE_INFINITY;
  const place = citations.findIndex(({ number }) => number === source.citation?.number);
  const turn = (by: 1 | -1) => {
    const next = source.page + by;
    if (next >= 1 && next <= last) goToPage(next);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowLeft") (event.shiftKey ? step : turn)(-1);
    else if (event.key === "ArrowRight") (event.shiftKey ? step : turn)(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const number = t(paged ? (pageCount ? "pageOf" : "page") : pageCount ? "sectionOf" : "section", {
    page: source.page,
    count: pageCount ?? 0,
  });
  const label = page?.page === source.page ? page.label : null;
  const where = label ? `${placeName(label, t)} · ${number}` : number;
  return (
    <section
      aria-label={t("panel", { document: source.document })}
      onKeyDown={onKeyDown}
      className="flex h-full min-h-0 flex-col bg-sunken"
    >
      <header className="border-b border-line px-3 pt-2 pb-1.5">
        <div className="flex items-center gap-1">
          <h2
            ref={heading}
            tabIndex={-1}
            title={source.document}
            className="min-w-0 flex-1 truncate rounded-sm px-1 font-semibold outline-none"
          >
            {source.document}
          </h2>
          <IconButton label={t("close")} icon={<X aria-hidden="true" />} onClick={close} />
        </div>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 pl-1">
          <Stepper
            previous={t(paged ? "previousPage" : "previousSection")}
            next={t(paged ? "nextPage" : "nextSection")}
            onPrevious={source.page > 1 ? () => turn(-1) : null}
            onNext={source.page < last ? () => turn(1) : null}
          >
            {where}
          </Stepper>
          {citations.length > 1 && source.citation && (
            <Stepper
              previous={t("previousSource")}
              next={t("nextSource")}
              onPrevious={place > 0 ? () => step(-1) : null}
              onNext={place < citations.length - 1 ? () => step(1) : null}
            >
              {t("sourceOf", { number: source.citation.number, count: citations.length })}
            </Stepper>
          )}
          {source.citation && (
            <Badge tone={tones[source.citation.support]}>{t(`support.${source.citation.support}`)}</Badge>
          )}
        </div>
      </header>
      <SourceBody />
    </section>
  );
}

const tones = { verbatim: "accent", paraphrase: "neutral", unsupported: "warning" } as const;

/** What people call the page: "Slide 3" in their language, a name as it stands in the document. */
function placeName(label: string, t: TFunction<"source">): string {
  const slide = /^Slide (\d+)$/.exec(label)?.[1];
  return slide ? t("slide", { number: Number(slide) }) : label;
}

/** Focus moves to the panel when it opens, and back to what opened it when it closes. */
function useFocusWhileOpen(opened: unknown) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const opener = window.document.activeElement;
    const panel = heading.current?.closest("section");
    heading.current?.focus({ preventScroll: true });
    return () => {
      const focused = window.document.activeElement;
      const lost = !focused || focused === window.document.body || panel?.contains(focused);
      if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, [opened]);
  return heading;
}
