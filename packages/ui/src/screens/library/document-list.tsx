import { useVirtualizer } from "@tanstack/react-virtual";
import { FileUp, Search } from "lucide-react";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useConnection, useLibrary, useStores } from "../../stores/stores.tsx";
import { AddFilesButton } from "./add-files-button.tsx";
import { AddingRow } from "./adding-row.tsx";
import { entriesOf, tallyOf, type Entry } from "./document-entries.ts";
import { DocumentRow } from "./document-row.tsx";

/** From this many documents on there is a field to find one by name. */
const filterFrom = 8;
/** Height of a line before it was measured, CSS pixels. */
const estimatedHeight = 61;

/** The documents of a collection, each with its state. Draws only what is in sight. */
export function DocumentList({ collectionId }: { collectionId: string }) {
  const { t } = useTranslation("library");
  // States of a thousand files may change many times a second; typing and scrolling go first.
  const documents = useDeferredValue(useLibrary((state) => state.documents));
  const adding = useDeferredValue(useLibrary((state) => state.adding));
  const [filter, setFilter] = useState("");
  const all = useMemo(() => entriesOf(documents, adding, collectionId, ""), [documents, adding, collectionId]);
  const entries = useMemo(
    () => (filter.trim() ? entriesOf(documents, adding, collectionId, filter) : all),
    [documents, adding, collectionId, filter, all],
  );

  if (all.length === 0) return <NoDocuments collectionId={collectionId} />;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pb-2 md:px-6">
        {all.length >= filterFrom && (
          <TextField
            label={t("filter")}
            labelHidden
            type="search"
            placeholder={t("filter")}
            icon={<Search aria-hidden="true" />}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
            className="max-w-72 min-w-40 flex-1"
          />
        )}
        <Summary entries={all} />
      </div>
      {entries.length === 0 ? (
        <p className="px-6 py-8 text-ink-muted">{t("filterEmpty", { filter })}</p>
      ) : (
        <Rows entries={entries} />
      )}
    </div>
  );
}

function Rows({ entries }: { entries: readonly Entry[] }) {
  const { t } = useTranslation("library");
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimatedHeight,
    getItemKey: (at) => entries[at]!.id,
    overscan: 4,
  });
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto px-2 pb-4 md:px-4">
      <ul aria-label={t("documents")} className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const entry = entries[row.index];
          if (!entry) return null;
          return (
            <li
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              aria-setsize={entries.length}
              aria-posinset={row.index + 1}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {entry.kind === "document" ? (
                <DocumentRow document={entry.document} />
              ) : (
                <AddingRow adding={entry.adding} />
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** "3 of 5 ready · 1 failed", with a button that tries the failed ones again. */
function Summary({ entries }: { entries: readonly Entry[] }) {
  const { t } = useTranslation("library");
  const stores = useStores();
  const { ready, underWay, failed } = tallyOf(entries);
  const retryAll = () => {
    const { retryDocument, retryAdding } = stores.library.getState();
    for (const entry of entries) {
      if (entry.kind === "document" && entry.document.state === "failed") void retryDocument(entry.id);
      if (entry.kind === "adding" && entry.adding.state === "failed") retryAdding(entry.id);
    }
  };
  const parts = [
    underWay > 0 || failed > 0 ? t("summary.readyOf", { ready, count: ready + underWay + failed }) : null,
    failed > 0 ? t("summary.failed", { count: failed }) : null,
  ].filter((part) => part !== null);
  return (
    <div className="flex flex-wrap items-center gap-x-3 text-sm text-ink-muted">
      <p role="status">{parts.join(" · ")}</p>
      {failed > 1 && (
        <Button size="small" variant="quiet" onClick={retryAll}>
          {t("retryAll")}
        </Button>
      )}
    </div>
  );
}

function NoDocuments({ collectionId }: { collectionId: string }) {
  const { t } = useTranslation("library");
  const inPlace = useConnection((state) => state.fileTransfer === "paths");
  return (
    <EmptyState
      icon={<FileUp />}
      title={t("noDocuments.title")}
      action={<AddFilesButton collectionId={collectionId} />}
    >
      <p>{t(inPlace ? "noDocuments.inPlace" : "noDocuments.upload")}</p>
      <p className="mt-2 text-sm">{t("empty.types")}</p>
    </EmptyState>
  );
}
