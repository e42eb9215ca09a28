import { Cpu } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DropZone } from "../../components/drop-zone.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { useConnection, useModels, useStores } from "../../stores/stores.tsx";
import { ActivityView } from "../activity/activity-view.tsx";
import { BenchView } from "../bench/bench-view.tsx";
import { HardwareCard } from "../hardware/hardware-card.tsx";
import { PlannerView } from "../planning/planner-view.tsx";
import { AddModel } from "./add-model.tsx";
import { ModelCard } from "./model-card.tsx";

/** The models on the host, what this machine has, and how a model would be loaded on it. */
export function ModelsScreen() {
  const { t } = useTranslation(["models", "activity", "bench"]);
  const stores = useStores();
  const [tab, setTab] = useState("here");
  const inPlace = useConnection((state) => state.fileTransfer === "paths");

  const addDropped = async (files: File[]) => {
    for (const file of files) await stores.models.getState().addDropped(file);
  };
  return (
    <DropZone
      label={t("dropModel")}
      disabled={!inPlace}
      onFiles={(files) => void addDropped(files)}
      className="h-full min-h-0"
    >
      <div className="h-full overflow-y-auto px-4 py-4 md:px-6">
        <div className="mx-auto flex max-w-5xl flex-col gap-5">
          <header>
            <h1 className="text-xl font-semibold">{t("title")}</h1>
            <p className="text-ink-muted text-pretty">{t("introduction")}</p>
          </header>
          <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_18rem]">
            <Tabs
              label={t("tabs.label")}
              value={tab}
              onValueChange={setTab}
              className="min-w-0"
              tabs={[
                { value: "here", label: t("tabs.here"), content: <InstalledModels /> },
                { value: "fits", label: t("tabs.fits"), content: <PlannerView /> },
                { value: "activity", label: t("activity:tab"), content: <ActivityView /> },
                { value: "bench", label: t("bench:tab"), content: <BenchView /> },
              ]}
            />
            <HardwareCard />
          </div>
        </div>
      </div>
    </DropZone>
  );
}

function InstalledModels() {
  const { t } = useTranslation("models");
  const models = useModels((state) => state.models);
  const loaded = useModels((state) => state.loaded);
  return (
    <section aria-label={t("title")} className="flex min-w-0 flex-col gap-3">
      {!loaded && (
        <div className="flex justify-center py-10">
          <Spinner label={t("loading")} />
        </div>
      )}
      {loaded && models.length === 0 && (
        <EmptyState icon={<Cpu />} title={t("empty.title")}>
          {t("empty.explanation")}
        </EmptyState>
      )}
      {models.length > 0 && (
        <ul className="flex flex-col gap-3">
          {models.map((model) => (
            <li key={model.id}>
              <ModelCard model={model} />
            </li>
          ))}
        </ul>
      )}
      <AddModel />
    </section>
  );
}
