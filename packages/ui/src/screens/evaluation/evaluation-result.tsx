import type { EvaluationResult, JudgedAnswer } from "@corral/protocol";
import { Download, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import type { EvaluationRun } from "../../stores/evaluation-store.ts";
import { useEvaluation } from "../../stores/stores.tsx";
import { useNoteWords } from "../library/search-notes.tsx";
import { saveAsJson } from "../../components/save-as-json.ts";

const shares = ["ndcg10", "recall5", "recall100"] as const;
const times = ["p50Ms", "p95Ms"] as const;

/** The figures of one run and the questions that fared worst, or why there are none. */
export function EvaluationResultCard({ run }: { run: EvaluationRun }) {
  const { t, i18n } = useTranslation("evaluation");
  const remove = useEvaluation((state) => state.remove);
  const { result, error } = run;
  if (error) return <ErrorNote onDismiss={() => remove(run.id)}>{error.message}</ErrorNote>;
  if (!result) return null;
  const number = (value: number) => value.toLocaleString(i18n.language, { maximumFractionDigits: 1 });
  const started = new Date(run.startedAt).toLocaleTimeString(i18n.language);
  const save = () =>
    saveAsJson(`corral-evaluation-${run.startedAt.slice(0, 19).replaceAll(":", "")}.json`, {
      ...result.figures,
      legs: result.legs,
      notes: result.notes,
      queriesFile: run.queries,
      judgementsFile: run.judgements,
      startedAt: run.startedAt,
      worst: result.worst,
    });
  return (
    <section aria-label={started} className="rounded-xl border border-line bg-surface p-4">
      <header className="flex flex-wrap items-center gap-2">
        <p className="min-w-0 flex-1 text-sm text-ink-muted [overflow-wrap:anywhere]">
          {t("startedAt", { time: started, queries: run.queries, judgements: run.judgements })}
        </p>
        <Button size="small" icon={<Download aria-hidden="true" />} onClick={save}>
          {t("save")}
        </Button>
        <IconButton size="small" label={t("remove")} icon={<X aria-hidden="true" />} onClick={() => remove(run.id)} />
      </header>
      <dl className="mt-3 grid grid-cols-2 gap-3 sm:grid-cols-5">
        {shares.map((key) => (
          <Figure key={key} name={t(`figure.${key}`)} value={`${number(result.figures[key])} %`} />
        ))}
        {times.map((key) => (
          <Figure key={key} name={t(`figure.${key}`)} value={`${number(result.figures[key])} ms`} />
        ))}
      </dl>
      <HowFound result={result} />
      {result.worst.length === 0 ? (
        <p className="mt-3">{t("perfect")}</p>
      ) : (
        <details className="mt-3">
          <summary className="w-fit rounded-sm font-medium">{t("worst")}</summary>
          <ol className="mt-2 flex flex-col divide-y divide-line">
            {result.worst.map((answer) => (
              <li key={answer.id}>
                <WorstAnswer answer={answer} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt className="text-sm text-ink-muted">{name}</dt>
      <dd className="text-lg font-semibold tabular-nums">{value}</dd>
    </div>
  );
}

/** Which ways of ranking ran, and what was in the way of others. */
function HowFound({ result: { legs, notes, figures } }: { result: EvaluationResult }) {
  const { t, i18n } = useTranslation(["evaluation", "finding"]);
  const noteWords = useNoteWords();
  const list = new Intl.ListFormat(i18n.language);
  const ways = legs.map((ran) => {
    const words = list.format(ran.legs.map((leg) => t(`finding:ranLeg.${leg}`)));
    return ran.queries === figures.queries ? words : t("part", { legs: words, count: ran.queries });
  });
  return (
    <div className="mt-3 text-sm text-ink-muted">
      <p>{t("over", { count: figures.queries, legs: ways.join("; ") })}</p>
      {notes.map(({ note, queries }) => (
        <p key={note.type}>
          {queries === figures.queries ? noteWords(note) : t("partly", { note: noteWords(note), count: queries })}
        </p>
      ))}
    </div>
  );
}

function WorstAnswer({ answer: { text, ndcg10, relevant, found } }: { answer: JudgedAnswer }) {
  const { t, i18n } = useTranslation("evaluation");
  return (
    <div className="py-2.5">
      <p className="flex gap-3">
        <span dir="auto" className="min-w-0 flex-1 font-medium [overflow-wrap:anywhere]">
          {text}
        </span>
        <span className="text-sm text-ink-muted tabular-nums">
          {ndcg10.toLocaleString(i18n.language, { maximumFractionDigits: 0 })} %
        </span>
      </p>
      <dl className="mt-1 grid gap-x-3 gap-y-0.5 text-sm [overflow-wrap:anywhere] sm:grid-cols-[max-content_1fr]">
        <dt className="text-ink-muted">{t("relevant")}</dt>
        <dd>
          {relevant
            .map(({ document, place }) => `${document} (${place === null ? t("missing") : t("place", { place })})`)
            .join(", ")}
        </dd>
        <dt className="text-ink-muted">{t("found")}</dt>
        <dd>{found.length > 0 ? found.join(", ") : t("nothing")}</dd>
      </dl>
    </div>
  );
}
