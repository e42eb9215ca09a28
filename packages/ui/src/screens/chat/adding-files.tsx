import { CircleAlert, CircleCheck, RotateCcw, X } from "lucide-react";
import type { TFunction } from "i18next";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useChat, useLibrary } from "../../stores/stores.tsx";
import { filesInProgress, isSettled, type FileInProgress } from "./files-in-progress.ts";
import { percent } from "./number-formats.ts";

/** Rows shown at once; the rest is counted. Failures come first, as they need someone. */
const SHOWN = 4;
/** How long a file that went well is still shown, ms. */
const SHOWN_WHEN_READY_MS = 2_500;

/** Files on their way into this conversation's documents: how far each is, and what is wrong with those that failed. */
export function AddingFiles() {
  const { t } = useTranslation("chat");
  const sources = useChat((state) => state.settings.sources);
  const adding = useLibrary((state) => state.adding);
  const documents = useLibrary((state) => state.documents);
  const files = useMemo(() => filesInProgress(sources, adding, documents), [sources, adding, documents]);
  if (files.length === 0) return null;
  const ordered = files.toSorted((a, b) => Number(b.stage === "failed") - Number(a.stage === "failed"));
  return (
    <div className="rounded-lg border border-line bg-surface px-3 py-2">
      <ul className="flex flex-col gap-1.5">
        {ordered.slice(0, SHOWN).map((file) => (
          <AddingFile key={file.addingId ?? file.documentId ?? file.name} file={file} />
        ))}
      </ul>
      {ordered.length > SHOWN && (
        <p className="pt-1 text-sm text-ink-muted">{t("adding.more", { count: ordered.length - SHOWN })}</p>
      )}
      {files.some((file) => !isSettled(file)) && (
        <p className="pt-1 text-xs text-ink-muted">{t("adding.stillReading")}</p>
      )}
    </div>
  );
}

function AddingFile({ file }: { file: FileInProgress }) {
  const { t } = useTranslation("chat");
  const { addingId, documentId, name, stage, error } = file;
  const cancelAdding = useLibrary((state) => state.cancelAdding);
  const retryAdding = useLibrary((state) => state.retryAdding);
  const cancelDocument = useLibrary((state) => state.cancelDocument);
  const retryDocument = useLibrary((state) => state.retryDocument);
  const went = stage === "ready" || stage === "unchanged";

  useEffect(() => {
    if (!went || !addingId) return;
    const timer = setTimeout(() => cancelAdding(addingId), SHOWN_WHEN_READY_MS);
    return () => clearTimeout(timer);
  }, [went, addingId, cancelAdding]);

  const failed = stage === "failed" || stage === "cancelled";
  return (
    <li className="flex min-h-7 items-center gap-2.5" data-stage={stage}>
      {failed ? (
        <CircleAlert aria-hidden="true" className="size-4 shrink-0 self-start mt-1.5 text-danger-ink" />
      ) : went ? (
        <CircleCheck aria-hidden="true" className="size-4 shrink-0 text-accent-ink" />
      ) : (
        <Spinner className="shrink-0" />
      )}
      {failed && error ? (
        <p role="alert" className="min-w-0 flex-1 [overflow-wrap:anywhere]">
          {error.message}
        </p>
      ) : (
        <p className="flex min-w-0 flex-1 items-baseline gap-2">
          <span className="truncate">{name}</span>
          <span className="shrink-0 text-sm text-ink-muted">{words(file, t)}</span>
        </p>
      )}
      {!failed && !went && file.fraction !== null && (
        <ProgressBar label={t("adding.progress", { name })} value={file.fraction} className="w-20 shrink-0" />
      )}
      {failed && (
        <IconButton
          size="small"
          label={t("adding.retry")}
          icon={<RotateCcw aria-hidden="true" />}
          onClick={() => {
            if (documentId) void retryDocument(documentId);
            else if (addingId) retryAdding(addingId);
          }}
        />
      )}
      {(failed || !went) && (
        <IconButton
          size="small"
          label={failed ? t("adding.dismiss") : t("adding.stop", { name })}
          icon={<X aria-hidden="true" />}
          onClick={() => {
            if (!failed && documentId) void cancelDocument(documentId);
            else if (addingId) cancelAdding(addingId);
          }}
        />
      )}
    </li>
  );
}

function words({ stage, fraction }: FileInProgress, t: TFunction): string {
  switch (stage) {
    case "sending":
      return t("adding.sending", { percent: percent(fraction ?? 0) });
    case "reading":
      return fraction === null ? t("adding.readingUnknown") : t("adding.reading", { percent: percent(fraction) });
    case "failed":
      return "";
    default:
      return t(`adding.${stage}`);
  }
}
