import type { LoadPlan, MeasuredMemory as Measured } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { size } from "./plan-words.ts";

const parts = [
  { key: "weights", field: "weightsBytes" },
  { key: "kvCache", field: "kvCacheBytes" },
  { key: "compute", field: "computeBytes" },
  { key: "overhead", field: "overheadBytes" },
] as const;

/** What was planned for a loaded model beside what it took, per device. */
export function MeasuredMemory({ plan, measured }: { plan: LoadPlan; measured: readonly Measured[] }) {
  const { t } = useTranslation("planning");
  return (
    <div>
      <h3 className="mb-1 font-medium">{t("measured.title")}</h3>
      <div className="flex flex-col gap-3">
        {measured.map((device) => {
          const predicted = plan.devices.find(({ id }) => id === device.id);
          return predicted && <DeviceComparison key={device.id} predicted={predicted} measured={device} />;
        })}
      </div>
    </div>
  );
}

interface DeviceComparisonProps {
  predicted: LoadPlan["devices"][number];
  measured: Measured;
}

function DeviceComparison({ predicted, measured }: DeviceComparisonProps) {
  const { t } = useTranslation("planning");
  const known = parts.filter(({ field }) => predicted[field] > 0 || (measured[field] ?? 0) > 0);
  const rows = known.map(({ key, field }) => ({
    name: t(`part.${key}`),
    predicted: predicted[field],
    measured: measured[field],
  }));
  const isWhole = rows.every((row) => row.measured !== null);
  const sum = (read: (row: (typeof rows)[number]) => number | null) =>
    rows.reduce((total, row) => total + (read(row) ?? 0), 0);
  const moments = [
    [t("measured.before"), measured.beforeBytes],
    [t("measured.after"), measured.afterBytes],
    [t("measured.peak"), measured.peakBytes],
  ].filter((moment): moment is [string, number] => moment[1] !== null);
  return (
    <div className="rounded-lg bg-sunken p-3 text-sm">
      <table className="w-full max-w-xl text-right tabular-nums [&_td]:py-0.5 [&_td]:pl-3 [&_th]:py-0.5 [&_th]:font-normal">
        <caption className="pb-1 text-left font-medium">{measured.name}</caption>
        <thead className="text-ink-muted">
          <tr>
            <th scope="col" className="text-left">
              {t("measured.part")}
            </th>
            <th scope="col" className="pl-3">
              {t("measured.predicted")}
            </th>
            <th scope="col" className="pl-3">
              {t("measured.measured")}
            </th>
            <th scope="col" className="pl-3">
              {t("measured.difference")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <ComparedRow key={row.name} {...row} />
          ))}
          {isWhole && (
            <ComparedRow
              name={t("measured.total")}
              predicted={sum((row) => row.predicted)}
              measured={sum((row) => row.measured)}
              isTotal
            />
          )}
        </tbody>
      </table>
      {moments.length > 0 && (
        <p className="mt-2 text-ink-muted tabular-nums">
          {moments.map(([name, bytes]) => `${name} ${size(bytes)}`).join(" · ")}
        </p>
      )}
    </div>
  );
}

interface ComparedRowProps {
  name: string;
  predicted: number;
  measured: number | null;
  isTotal?: boolean;
}

function ComparedRow({ name, predicted, measured, isTotal = false }: ComparedRowProps) {
  const { t, i18n } = useTranslation("planning");
  const difference =
    measured === null || predicted === 0
      ? ""
      : ((measured - predicted) / predicted).toLocaleString(i18n.language, {
          style: "percent",
          maximumFractionDigits: 1,
          signDisplay: "exceptZero",
        });
  return (
    <tr className={isTotal ? "border-t border-line font-medium" : ""}>
      <th scope="row" className="text-left">
        {name}
      </th>
      <td>{size(predicted)}</td>
      <td>{measured === null ? t("measured.unknown") : size(measured)}</td>
      <td>{difference}</td>
    </tr>
  );
}
