import { Play } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { DropZone } from "../../components/drop-zone.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { fileLimit, isRunning } from "../../stores/evaluation-store.ts";
import { useEvaluation } from "../../stores/stores.tsx";
import { EvaluationResultCard } from "./evaluation-result.tsx";
import { FileField } from "./file-field.tsx";

/** Asks a collection questions with known answers and shows how well it finds them. */
export function EvaluationView({ collectionId }: { collectionId: string }) {
  const { t } = useTranslation("evaluation");
  const all = useEvaluation((state) => state.runs);
  const run = useEvaluation((state) => state.run);
  const [queries, setQueries] = useState<File | null>(null);
  const [judgements, setJudgements] = useState<File | null>(null);
  const runs = all.filter((one) => one.collectionId === collectionId);
  const tooLarge = [queries, judgements].find((file) => file !== null && file.size > fileLimit);

  const take = (files: File[]) => {
    for (const file of files) {
      if (/\.tsv$|\.txt$|qrel/i.test(file.name)) setJudgements(file);
      else setQueries(file);
    }
  };
  return (
    <DropZone label={t("drop")} onFiles={take} className="h-full min-h-0">
      <div
        role="region"
        aria-label={t("title")}
        tabIndex={0}
        className="flex h-full max-w-4xl flex-col gap-5 overflow-y-auto px-4 pb-6 focus-visible:-outline-offset-2 md:px-6"
      >
        <div>
          <h2 className="font-semibold">{t("title")}</h2>
          <p className="text-sm text-ink-muted">{t("explanation")}</p>
        </div>
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (queries && judgements) void run(collectionId, queries, judgements);
          }}
        >
          <div className="grid gap-4 sm:grid-cols-2">
            <FileField
              label={t("queries")}
              hint={t("queriesHint")}
              accept=".jsonl,.json"
              file={queries}
              onFile={setQueries}
            />
            <FileField
              label={t("judgements")}
              hint={t("judgementsHint")}
              accept=".tsv,.txt"
              file={judgements}
              onFile={setJudgements}
            />
          </div>
          {tooLarge && <ErrorNote>{t("tooLarge", { name: tooLarge.name })}</ErrorNote>}
          <Button
            type="submit"
            variant="primary"
            className="w-fit"
            icon={<Play aria-hidden="true" />}
            disabled={!queries || !judgements || tooLarge !== undefined || all.some(isRunning)}
          >
            {t("run")}
          </Button>
        </form>
        <Progress />
        {runs.map((one) => (
          <EvaluationResultCard key={one.id} run={one} />
        ))}
      </div>
    </DropZone>
  );
}

function Progress() {
  const { t } = useTranslation("evaluation");
  const running = useEvaluation((state) => state.runs.find(isRunning));
  const cancel = useEvaluation((state) => state.cancel);
  if (!running) return null;
  const { progress } = running;
  const words = progress ? t("progress", { ...progress }) : t("warming");
  return (
    <div className="flex flex-wrap items-center gap-3">
      <ProgressBar
        label={t("title")}
        value={progress ? progress.done / Math.max(1, progress.total) : null}
        className="min-w-32 flex-1"
      />
      <p role="status" className="text-sm text-ink-muted tabular-nums">
        {words}
      </p>
      <Button size="small" onClick={cancel}>
        {t("cancel")}
      </Button>
    </div>
  );
}
