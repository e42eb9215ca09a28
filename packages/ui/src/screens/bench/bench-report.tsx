import type { BenchReport } from "@corral/protocol";
import { Download } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { Button } from "../../components/button.tsx";
import { saveAsJson } from "../../components/save-as-json.ts";

const LineChart = lazy(async () => ({ default: (await import("../../components/line-chart.tsx")).LineChart }));

type Row = BenchReport["rows"][number];

/** What one measurement found, against the bare loop of the same run. */
export function BenchReportCard({ report }: { report: BenchReport }) {
  const { t, i18n } = useTranslation("bench");
  const { model, machine, rows } = report;
  const name = t("measured", { name: model.name, quantization: model.quantization });
  const time = new Date(report.measuredAt).toLocaleString(i18n.language);
  const streams = rows.filter(({ id }) => id === "streams");
  return (
    <article aria-label={`${name}, ${time}`} className="rounded-xl border border-line bg-surface p-4">
      <header className="flex flex-wrap items-start gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="font-semibold [overflow-wrap:anywhere]">{name}</h3>
          <p className="text-sm text-ink-muted">
            {[
              t("machine", {
                time,
                cpu: machine.cpu,
                count: machine.cores,
                memory: byteSize(machine.memoryBytes, i18n.language),
              }),
              ...machine.gpus,
            ].join(" · ")}
          </p>
        </div>
        <Button
          size="small"
          icon={<Download aria-hidden="true" />}
          onClick={() => saveAsJson(`corral-bench-${report.measuredAt.slice(0, 19).replaceAll(":", "")}.json`, report)}
        >
          {t("save")}
        </Button>
      </header>
      <div className="mt-3 overflow-x-auto" tabIndex={0} role="region" aria-label={name}>
        <Figures rows={rows} />
      </div>
      {streams.length > 1 && (
        <Suspense fallback={<div className="mt-3 h-45" />}>
          <StreamsChart rows={streams} />
        </Suspense>
      )}
    </article>
  );
}

function Figures({ rows }: { rows: Row[] }) {
  const { t, i18n } = useTranslation("bench");
  const value = (amount: number | null, unit: Row["unit"]) => {
    if (amount === null) return "–";
    const digits = { maximumFractionDigits: amount < 100 ? 1 : 0 };
    if (unit === "tok/s") return t("rate", { rate: amount.toLocaleString(i18n.language, digits) });
    return amount.toLocaleString(i18n.language, { style: "unit", unit: "millisecond", ...digits });
  };
  return (
    <table className="w-full text-left text-sm whitespace-nowrap tabular-nums">
      <thead className="text-ink-muted">
        <tr>
          <th className="py-1 pr-4 font-normal">{t("what")}</th>
          <th className="py-1 pr-4 text-right font-normal">{t("corral")}</th>
          <th className="py-1 pr-4 text-right font-normal">{t("bare")}</th>
          <th className="py-1 text-right font-normal">{t("ratio")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.id} ${row.streams ?? ""}`} className="border-t border-line">
            <th scope="row" className="py-1 pr-4 font-medium">
              {row.id === "streams" ? t("streams", { count: row.streams ?? 1 }) : t(`row.${row.id}`)}
            </th>
            <td className="py-1 pr-4 text-right">{value(row.corral, row.unit)}</td>
            <td className="py-1 pr-4 text-right">{value(row.bare, row.unit)}</td>
            <td className="py-1 text-right">
              {row.ratio === null
                ? "–"
                : row.ratio.toLocaleString(i18n.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function StreamsChart({ rows }: { rows: Row[] }) {
  const { t, i18n } = useTranslation("bench");
  const number = (amount: number) =>
    amount.toLocaleString(i18n.language, { maximumFractionDigits: amount < 10 ? 1 : 0 });
  const sorted = [...rows].sort((a, b) => (a.streams ?? 1) - (b.streams ?? 1));
  const figures = sorted.map(({ streams, corral, bare }) =>
    t("chartFigure", { streams: streams ?? 1, corral: number(corral), bare: bare === null ? "–" : number(bare) }),
  );
  return (
    <figure className="mt-4">
      <figcaption className="flex flex-wrap items-center gap-x-4 text-sm text-ink-muted">
        <span>{t("chartTitle")}</span>
        <span className="flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2.5 rounded-xs bg-part-1" />
          {t("corral")}
        </span>
        <span className="flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2.5 rounded-xs bg-part-2" />
          {t("bare")}
        </span>
      </figcaption>
      <LineChart
        dots
        className="mt-1"
        height={180}
        label={t("chart", { figures: figures.join("; ") })}
        x={sorted.map(({ streams }) => streams ?? 1)}
        series={[
          { label: t("corral"), values: sorted.map(({ corral }) => corral), color: "part-1" },
          { label: t("bare"), values: sorted.map(({ bare }) => bare), color: "part-2" },
        ]}
        formatY={number}
      />
    </figure>
  );
}
