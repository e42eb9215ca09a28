import type { DeviceMemory, LoadPlan, ModelSummary } from "@corral/protocol";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { byteSize } from "../../components/byte-size.ts";
import { Spinner } from "../../components/spinner.tsx";
import { StackedBar } from "../../components/stacked-bar.tsx";
import { useModels } from "../../stores/stores.tsx";

const parts = [
  { key: "weights", field: "weightsBytes", className: "bg-part-1" },
  { key: "kvCache", field: "kvCacheBytes", className: "bg-part-2" },
  { key: "compute", field: "computeBytes", className: "bg-part-3" },
  { key: "overhead", field: "overheadBytes", className: "bg-part-4" },
  { key: "reserve", field: "reserveBytes", className: "bg-part-4/45" },
] as const;

/** How a model would be loaded on this machine: why, and what it takes of each device's memory. */
export function LoadPlanView({ model }: { model: ModelSummary }) {
  const { t } = useTranslation("models");
  const plan = useModels((state) => state.plans[model.id]);
  const planFor = useModels((state) => state.planFor);
  const failed = useModels((state) => state.errors[model.id] !== undefined);
  useEffect(() => {
    void planFor(model.id);
    // Memory in use differs once the model is loaded or gone.
  }, [planFor, model.id, model.state]);

  if (!plan) {
    return <div className="px-4 pt-3 pb-4">{failed ? null : <Spinner label={t("plan.loading")} />}</div>;
  }
  return (
    <div className="flex flex-col gap-4 px-4 pt-3 pb-4">
      <PlanFacts plan={plan} />
      {plan.reasons.length > 0 && (
        <ul className="list-disc space-y-1 pl-5 text-pretty marker:text-ink-muted">
          {plan.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {plan.devices.map((device) => (
        <DevicePlan key={device.id} device={device} />
      ))}
    </div>
  );
}

function PlanFacts({ plan }: { plan: LoadPlan }) {
  const { t, i18n } = useTranslation("models");
  const number = (value: number) => value.toLocaleString(i18n.language);
  const facts: [string, string][] = [
    [t("plan.placement"), t(`placement.${plan.placement}`)],
    [t("plan.context"), t("tokens", { tokens: number(plan.contextSize) })],
    [
      t("plan.slots"),
      plan.slots.map(({ count, contextSize }) => `${number(count)} × ${number(contextSize)}`).join(", "),
    ],
    [t("plan.kvCache"), plan.kvCacheType],
  ];
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
      <Badge tone={plan.fits ? "accent" : "danger"}>
        {plan.fits ? t("plan.fits") : t("plan.missing", { size: byteSize(plan.missingBytes, i18n.language) })}
      </Badge>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-sm">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name} className="flex gap-1.5">
              <dt className="text-ink-muted">{name}</dt>
              <dd className="tabular-nums">{value}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}

function DevicePlan({ device }: { device: DeviceMemory }) {
  const { t, i18n } = useTranslation("models");
  const size = (bytes: number) => byteSize(bytes, i18n.language);
  const needed = parts.reduce((sum, { field }) => sum + device[field], 0);
  const shown = parts.filter(({ field }) => device[field] > 0);
  return (
    <section aria-label={device.name} className="rounded-lg bg-sunken p-3">
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium">{device.name}</h3>
        <p className="text-sm text-ink-muted tabular-nums">
          {t("plan.ofFree", { needed: size(needed), free: size(device.freeBytes) })}
        </p>
      </div>
      <StackedBar
        label={t("plan.bar", {
          device: device.name,
          needed: size(needed),
          free: size(device.freeBytes),
        })}
        whole={Math.max(needed, device.freeBytes)}
        limit={device.freeBytes}
        parts={shown.map(({ key, field, className }) => ({ key, value: device[field], className }))}
      />
      <dl className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-sm">
        {shown.map(({ key, field, className }) => (
          <div key={key} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2.5 rounded-xs ${className}`} />
            <dt className="text-ink-muted">{t(`part.${key}`)}</dt>
            <dd className="tabular-nums">{size(device[field])}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
