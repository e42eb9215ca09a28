import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { useConnection, useServing } from "../../stores/stores.tsx";
import { ProgramAccess } from "./program-access.tsx";
import { ServingForm } from "./serving-form.tsx";

/** How models are served on this host, and how other programs use it. */
export function SettingsScreen() {
  const { t } = useTranslation("settings");
  const settings = useServing((state) => state.settings);
  const access = useServing((state) => state.access);
  const error = useServing((state) => state.error);
  const dismissError = useServing((state) => state.dismissError);
  const read = useServing((state) => state.read);
  const ready = useConnection((state) => state.connection.kind === "ready");
  const [tab, setTab] = useState("serving");
  useEffect(() => {
    if (ready) void read();
  }, [ready, read]);
  return (
    <div className="h-full overflow-y-auto px-4 py-4 md:px-6">
      <div className="mx-auto flex max-w-3xl flex-col gap-4">
        <header>
          <h1 className="text-xl font-semibold">{t("title")}</h1>
          <p className="text-ink-muted text-pretty">{t("introduction")}</p>
        </header>
        {error && error.code !== "HOST_UNREACHABLE" && <ErrorNote onDismiss={dismissError}>{error.message}</ErrorNote>}
        {(!settings || !access) && !error && (
          <div className="flex justify-center py-10">
            <Spinner label={t("loading")} />
          </div>
        )}
        {settings && access && (
          <Tabs
            label={t("views")}
            value={tab}
            onValueChange={setTab}
            tabs={[
              { value: "serving", label: t("serving"), content: <ServingForm settings={settings} /> },
              { value: "programs", label: t("programs"), content: <ProgramAccess access={access} /> },
            ]}
          />
        )}
      </div>
    </div>
  );
}
