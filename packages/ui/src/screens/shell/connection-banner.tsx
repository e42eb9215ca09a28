import { RefreshCw, Unplug } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useConnection } from "../../stores/stores.tsx";

/** Says when the host cannot be reached or speaks another version, over whatever is on the screen, which stays. */
export function ConnectionBanner() {
  const { t } = useTranslation("connection");
  const kind = useConnection((state) => state.connection.kind);
  const retryNow = useConnection((state) => state.retryNow);
  return (
    <div role="status">
      {kind === "lost" && (
        <div className="flex flex-wrap items-center justify-center gap-x-3 gap-y-1 bg-warning-soft px-4 py-2 text-warning-ink">
          <Unplug aria-hidden="true" className="size-4" />
          <p>{t("lost")}</p>
          <Button size="small" onClick={retryNow}>
            {t("retryNow")}
          </Button>
        </div>
      )}
      {kind === "incompatible" && (
        <div className="flex flex-wrap items-center justify-center gap-x-3 gap-y-1 bg-accent-soft px-4 py-2 text-accent-ink">
          <RefreshCw aria-hidden="true" className="size-4" />
          <p>{t("incompatible")}</p>
          <Button size="small" variant="primary" onClick={() => window.location.reload()}>
            {t("reload")}
          </Button>
        </div>
      )}
    </div>
  );
}
