import { FileUp, RotateCw, X } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import type { Adding } from "../../stores/library-store.ts";
import { useStores } from "../../stores/stores.tsx";
import { byteSize } from "../../components/byte-size.ts";
import { EntryLine } from "./entry-line.tsx";

/** A file on its way to the host, or one that did not get there, with the reason. */
export const AddingRow = memo(function AddingRow({ adding }: { adding: Adding }) {
  const { t, i18n } = useTranslation("library");
  const { cancelAdding, retryAdding, dismissAdding } = useStores().library.getState();
  const under = adding.state === "waiting" || adding.state === "sending";
  const sent = adding.sentBytes > 0 && adding.bytes > 0 ? adding.sentBytes / adding.bytes : null;
  return (
    <EntryLine
      icon={<FileUp aria-hidden="true" />}
      name={
        <span title={adding.name} className="block truncate font-medium">
          {adding.name}
        </span>
      }
      details={[
        adding.bytes > 0 && byteSize(adding.bytes, i18n.language),
        adding.state === "unchanged" && t("unchanged"),
      ]
        .filter(Boolean)
        .join(" · ")}
      error={adding.error?.message ?? null}
      state={
        adding.state === "sending" ? (
          <div className="w-28">
            <p className="text-xs text-ink-muted">{t("state.sending")}</p>
            <ProgressBar label={`${adding.name}: ${t("state.sending")}`} value={sent} className="mt-1" />
          </div>
        ) : (
          <Badge tone={adding.state === "refused" || adding.state === "failed" ? "danger" : "neutral"}>
            {t(`state.${adding.state}`)}
          </Badge>
        )
      }
      actions={
        <>
          {adding.state === "failed" && (
            <Button
              size="small"
              icon={<RotateCw aria-hidden="true" />}
              aria-label={t("retryNamed", { name: adding.name })}
              onClick={() => retryAdding(adding.id)}
            >
              {t("retry")}
            </Button>
          )}
          <IconButton
            size="small"
            label={t(under ? "stopNamed" : "dismissNamed", { name: adding.name })}
            icon={<X aria-hidden="true" />}
            onClick={() => (under ? cancelAdding(adding.id) : dismissAdding(adding.id))}
          />
        </>
      }
    />
  );
});
