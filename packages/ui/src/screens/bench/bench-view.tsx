import { Gauge, Play } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { Select } from "../../components/select.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useBench, useConnection, useModels } from "../../stores/stores.tsx";
import { BenchReportCard } from "./bench-report.tsx";

/** Measures how fast a model runs here, and shows what was measured before. */
export function BenchView() {
  const { t } = useTranslation("bench");
  const reports = useBench((state) => state.reports);
  const error = useBench((state) => state.error);
  const read = useBench((state) => state.read);
  const dismissError = useBench((state) => state.dismissError);
  const ready = useConnection((state) => state.connection.kind === "ready");
  useEffect(() => {
    if (ready) void read();
  }, [ready, read]);
  return (
    <section aria-labelledby="bench" className="flex flex-col gap-4">
      <div>
        <h2 id="bench" className="font-semibold">
          {t("title")}
        </h2>
        <p className="text-sm text-ink-muted text-pretty">{t("explanation")}</p>
      </div>
      <BenchForm />
      {error && error.code !== "HOST_UNREACHABLE" && <ErrorNote onDismiss={dismissError}>{error.message}</ErrorNote>}
      {reports === null && !error && <Spinner />}
      {reports?.length === 0 && (
        <EmptyState icon={<Gauge />} title={t("none")}>
          {t("noneText")}
        </EmptyState>
      )}
      {reports?.map((report) => (
        <BenchReportCard key={report.measuredAt} report={report} />
      ))}
    </section>
  );
}

function BenchForm() {
  const { t } = useTranslation("bench");
  const models = useModels((state) => state.models).filter(
    ({ ability, state }) => (ability === "chat" || ability === "quote") && state !== "absent",
  );
  const progress = useBench((state) => state.progress);
  const run = useBench((state) => state.run);
  const cancel = useBench((state) => state.cancel);
  const [model, setModel] = useState<string | null>(null);
  const chosen = models.find(({ id }) => id === model) ?? models[0];
  if (!chosen) return <p className="text-ink-muted">{t("noModel")}</p>;
  const steps = ["load", "prefill", "decode", "ttft-cold", "ttft-warm", "ttft-restored", "streams"] as const;
  const step = steps.find((one) => one === progress?.step) ?? "load";
  return (
    <div className="flex flex-col gap-3">
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void run(chosen.id);
        }}
      >
        <Select
          label={t("model")}
          className="min-w-48 flex-1"
          value={chosen.id}
          onValueChange={setModel}
          disabled={progress !== null}
          options={models.map(({ id, name }) => ({ value: id, label: name }))}
        />
        {progress ? (
          <Button onClick={cancel}>{t("stop")}</Button>
        ) : (
          <Button type="submit" variant="primary" icon={<Play aria-hidden="true" />}>
            {t("run")}
          </Button>
        )}
      </form>
      {progress && (
        <div>
          <ProgressBar label={t("title")} value={progress.total > 0 ? progress.done / progress.total : null} />
          <p role="status" className="mt-1 text-sm text-ink-muted tabular-nums">
            {step === "load" ? t("loading") : t("progress", { ...progress, step: t(`row.${step}`) })}
          </p>
        </div>
      )}
    </div>
  );
}
