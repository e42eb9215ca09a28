import { Plus, Wrench } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useTools } from "../../stores/stores.tsx";
import { ServerCard } from "./server-card.tsx";
import { ServerDialog } from "./server-dialog.tsx";

/** The MCP servers of the host: what they offer, how they are, and their settings. */
export function ToolsScreen() {
  const { t } = useTranslation("tools");
  const servers = useTools((state) => state.servers);
  const loaded = useTools((state) => state.loaded);
  const error = useTools((state) => state.error);
  const dismissError = useTools((state) => state.dismissError);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} onClick={() => setAdding(true)}>
      {t("servers.add")}
    </Button>
  );
  return (
    <div className="h-full overflow-y-auto px-4 py-4 md:px-6">
      <div className="mx-auto flex max-w-3xl flex-col gap-5">
        <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
          <div className="min-w-0 flex-1 basis-80">
            <h1 className="text-xl font-semibold">{t("servers.title")}</h1>
            <p className="text-ink-muted text-pretty">{t("servers.introduction")}</p>
          </div>
          {servers.length > 0 && add}
        </header>
        {error && error.code !== "HOST_UNREACHABLE" && <ErrorNote onDismiss={dismissError}>{error.message}</ErrorNote>}
        {!loaded && (
          <div className="flex justify-center py-10">
            <Spinner label={t("servers.loading")} />
          </div>
        )}
        {loaded && servers.length === 0 && (
          <EmptyState icon={<Wrench />} title={t("servers.emptyTitle")} action={add}>
            {t("servers.emptyText")}
          </EmptyState>
        )}
        {servers.length > 0 && (
          <ul aria-label={t("servers.list")} className="flex flex-col gap-3">
            {servers.map((server) => (
              <li key={server.settings.name}>
                <ServerCard server={server} />
              </li>
            ))}
          </ul>
        )}
        {adding && <ServerDialog server={null} onClose={() => setAdding(false)} />}
      </div>
    </div>
  );
}
