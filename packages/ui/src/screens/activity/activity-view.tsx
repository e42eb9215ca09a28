import { Activity } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useActivity } from "../../stores/stores.tsx";
import { ModelActivityCard } from "./model-activity-card.tsx";

/** What each loaded model does from second to second, while somebody looks. */
export function ActivityView() {
  const { t } = useTranslation("activity");
  const activity = useActivity((state) => state.activity);
  const error = useActivity((state) => state.error);
  const watch = useActivity((state) => state.watch);
  useEffect(() => watch(), [watch]);
  if (error && error.code !== "HOST_UNREACHABLE") return <ErrorNote>{error.message}</ErrorNote>;
  if (!activity)
    return (
      <div className="flex justify-center py-10">
        <Spinner label={t("loading")} />
      </div>
    );
  const loaded = activity.models.filter(({ slots, running, queued }) => slots.length + running + queued > 0);
  const rest = activity.models.filter((model) => !loaded.includes(model));
  return (
    <section aria-label={t("title")} className="flex flex-col gap-3">
      {loaded.length === 0 && (
        <EmptyState icon={<Activity />} title={t("none")}>
          {t("noneText")}
        </EmptyState>
      )}
      {loaded.map((model) => (
        <ModelActivityCard key={model.model} model={model} since={activity.since} />
      ))}
      {loaded.length > 0 && rest.length > 0 && (
        <p className="text-sm text-ink-muted">{t("notLoaded", { names: rest.map(({ name }) => name).join(", ") })}</p>
      )}
    </section>
  );
}
