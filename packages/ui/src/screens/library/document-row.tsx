import type { DocumentFormat, DocumentState, DocumentSummary } from "@corral/protocol";
import {
  BookText,
  Check,
  CircleStop,
  Ellipsis,
  FileArchive,
  FileCode,
  FileImage,
  FileSpreadsheet,
  FileText,
  FileType,
  Mail,
  Presentation,
  RotateCw,
  Trash2,
} from "lucide-react";
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { useStores } from "../../stores/stores.tsx";
import { EntryLine } from "./entry-line.tsx";
import { byteSize } from "../../components/byte-size.ts";

const icons: Partial<Record<DocumentFormat, typeof FileText>> = {
  pdf: FileType,
  html: FileCode,
  code: FileCode,
  json: FileCode,
  pptx: Presentation,
  odp: Presentation,
  xlsx: FileSpreadsheet,
  ods: FileSpreadsheet,
  csv: FileSpreadsheet,
  epub: BookText,
  mail: Mail,
  mailbox: Mail,
  archive: FileArchive,
  image: FileImage,
};
const underWay: readonly DocumentState[] = ["queued", "reading", "indexing"];

/** A document: its name opens it; state, progress or reason beside it; retry, stop, remove. */
export const DocumentRow = memo(function DocumentRow({ document }: { document: DocumentSummary }) {
  const { t, i18n } = useTranslation("library");
  const stores = useStores();
  const [removing, setRemoving] = useState(false);
  const { cancelDocument, retryDocument, removeDocument } = stores.library.getState();
  const busy = underWay.includes(document.state);
  const Icon = icons[document.format] ?? FileText;

  const details = [
    byteSize(document.bytes, i18n.language),
    document.pageCount !== null && t(document.paged ? "pageCount" : "sectionCount", { count: document.pageCount }),
    document.state === "ready" && document.chunkCount !== null && t("passageCount", { count: document.chunkCount }),
  ].filter(Boolean);

  return (
    <EntryLine
      icon={<Icon aria-hidden="true" />}
      name={
        document.state === "ready" ? (
          <button
            type="button"
            title={document.name}
            onClick={() => stores.source.getState().openDocument(document)}
            className="max-w-full truncate rounded-sm text-left font-medium hover:text-accent-ink"
          >
            {document.name}
          </button>
        ) : (
          <span title={document.name} className="block truncate font-medium">
            {document.name}
          </span>
        )
      }
      details={details.join(" · ")}
      error={document.error?.message ?? null}
      state={
        busy && document.state !== "queued" ? (
          <div className="w-28">
            <p className="text-xs text-ink-muted">{t(`state.${document.state}`)}</p>
            <ProgressBar
              label={`${document.name}: ${t(`state.${document.state}`)}`}
              value={document.progress}
              className="mt-1"
            />
          </div>
        ) : document.state === "ready" ? (
          <span className="flex items-center gap-1 text-xs text-ink-muted">
            <Check aria-hidden="true" className="size-3.5 text-accent-ink" />
            {t("state.ready")}
          </span>
        ) : (
          <Badge tone={document.state === "failed" ? "danger" : "neutral"}>{t(`state.${document.state}`)}</Badge>
        )
      }
      actions={
        <>
          {(document.state === "failed" || document.state === "cancelled") && (
            <Button
              size="small"
              icon={<RotateCw aria-hidden="true" />}
              aria-label={t("retryNamed", { name: document.name })}
              onClick={() => void retryDocument(document.id)}
            >
              {t("retry")}
            </Button>
          )}
          {busy && (
            <IconButton
              size="small"
              label={t("stopNamed", { name: document.name })}
              icon={<CircleStop aria-hidden="true" />}
              onClick={() => void cancelDocument(document.id)}
            />
          )}
          <Menu
            trigger={
              <IconButton
                plain
                size="small"
                label={t("documentActions", { name: document.name })}
                icon={<Ellipsis aria-hidden="true" />}
              />
            }
          >
            {document.state === "ready" && (
              <MenuItem icon={<RotateCw />} onSelect={() => void retryDocument(document.id)}>
                {t("readAgain")}
              </MenuItem>
            )}
            <MenuItem icon={<Trash2 />} dangerous onSelect={() => setRemoving(true)}>
              {t("remove")}
            </MenuItem>
          </Menu>
          {removing && (
            <ConfirmDialog
              open
              onOpenChange={setRemoving}
              title={t("removeTitle", { name: document.name })}
              description={t("removeDescription")}
              confirmLabel={t("remove")}
              dangerous
              onConfirm={() => void removeDocument(document.id)}
            />
          )}
        </>
      }
    />
  );
});
