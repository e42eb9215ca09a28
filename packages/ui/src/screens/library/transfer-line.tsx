import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { Button } from "../../components/button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { useTransfer } from "../../stores/stores.tsx";

/** How far the export or import of a collection is, and how it ended. */
export function TransferLine() {
  const { t, i18n } = useTranslation("transfer");
  const transfer = useTransfer((state) => state.transfer);
  const cancel = useTransfer((state) => state.cancel);
  const dismiss = useTransfer((state) => state.dismiss);
  if (!transfer) return null;
  const { kind, path, progress, done, error } = transfer;
  if (error)
    return (
      <ErrorNote onDismiss={dismiss} className="mx-4 mt-3">
        {error.message}
      </ErrorNote>
    );
  if (done) {
    const size = byteSize(done.bytes, i18n.language);
    const count = done.documents;
    const { name } = done.collection;
    return (
      <div role="status" className="mx-4 mt-3 flex items-start gap-2 rounded-lg bg-accent-soft px-3.5 py-2">
        <p className="min-w-0 flex-1 text-accent-ink [overflow-wrap:anywhere]">
          {kind === "export" ? t("exported", { name, count, path, size }) : t("imported", { name, count })}{" "}
          {done.withoutOriginal > 0 && t("without", { count: done.withoutOriginal })}
        </p>
        <IconButton size="small" label={t("dismiss")} icon={<X aria-hidden="true" />} onClick={dismiss} />
      </div>
    );
  }
  const words = t(kind === "export" ? "exporting" : "importing", { path });
  return (
    <div className="mx-4 mt-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-surface px-3.5 py-2">
      <p className="min-w-0 flex-1 basis-48 truncate">{words}</p>
      <ProgressBar label={words} value={progress} className="w-32" />
      <Button size="small" onClick={cancel}>
        {t("stop")}
      </Button>
    </div>
  );
}
