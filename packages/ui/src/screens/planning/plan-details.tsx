import type { LoadPlan } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { DeviceBars } from "./device-bars.tsx";
import { neededBytes } from "./device-parts.ts";
import { count, gigabytes, range, size } from "./plan-words.ts";

/** A plan in whole: whether it fits, what it takes, how fast it would be, why it is so, and what lies on each device. */
export function PlanDetails({ plan, isMeasured = false }: { plan: LoadPlan; isMeasured?: boolean }) {
  const { t } = useTranslation("planning");
  return (
    <>
      <PlanFacts plan={plan} />
      <PlanSizes plan={plan} />
      {(!isMeasured || plan.estimate.measured) && plan.estimate.decodeTokensPerSecond.high > 0 && (
        <PlanSpeed plan={plan} />
      )}
      {plan.reasons.length > 0 && (
        <div>
          <h3 className="mb-1 font-medium">{t("plan.why")}</h3>
          <ul className="list-disc space-y-1 pl-5 text-pretty marker:text-ink-muted">
            {plan.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </div>
      )}
      {plan.devices.length > 0 && <DeviceBars devices={plan.devices} />}
    </>
  );
}

function PlanFacts({ plan }: { plan: LoadPlan }) {
  const { t } = useTranslation("planning");
  const gpus = plan.devices.filter(({ id }) => id !== "cpu").length;
  const slots = plan.slots.map((slot) => `${count(slot.count)} × ${count(slot.contextSize)}`);
  const facts: [string, string][] = [
    [t("plan.placement"), t(`placement.${plan.placement}`, { count: gpus })],
    [t("plan.context"), t("tokens", { tokens: count(plan.contextSize) })],
    [t("plan.slots"), slots.join(", ")],
    [t("plan.quantization"), plan.quantization],
    [t("plan.kvCache"), plan.kvCacheType],
  ];
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
      <Badge tone={plan.fits ? "accent" : "danger"}>
        {plan.fits ? t("plan.fits") : t("plan.missing", { size: size(plan.missingBytes) })}
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

/** The weights, and all that is needed to work with them. */
function PlanSizes({ plan }: { plan: LoadPlan }) {
  const { t } = useTranslation("planning");
  const weights = plan.devices.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
  const inAll = plan.devices.reduce((sum, device) => sum + neededBytes(device), 0);
  if (inAll === 0) return null;
  const sizes: [string, number][] = [
    [t("plan.weightsOnly"), weights],
    [t("plan.inAll", { tokens: count(plan.contextSize) }), inAll],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2">
      {sizes.map(([name, bytes]) => (
        <div key={name}>
          <dt className="text-sm text-ink-muted">{name}</dt>
          <dd className="text-lg font-semibold tabular-nums">
            {size(bytes)} {/* Small models are not spoken of in gigabytes. */}
            {bytes >= 1e9 && (
              <span className="text-sm font-normal text-ink-muted">
                {t("plan.decimal", { size: gigabytes(bytes) })}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function PlanSpeed({ plan: { estimate } }: { plan: LoadPlan }) {
  const { t, i18n } = useTranslation("planning");
  const seconds = estimate.loadSeconds.toLocaleString(i18n.language, {
    style: "unit",
    unit: "second",
    unitDisplay: "long",
    maximumFractionDigits: estimate.loadSeconds < 10 ? 1 : 0,
  });
  const words = [
    t("plan.decode", { speed: range(estimate.decodeTokensPerSecond) }),
    t("plan.prefill", { speed: range(estimate.prefillTokensPerSecond) }),
    t("plan.load", { seconds }),
  ];
  return (
    <div>
      <h3 className="mb-1 flex flex-wrap items-center gap-2 font-medium">
        {t("plan.speed")} <Badge>{t(estimate.measured ? "plan.measuredSpeed" : "plan.estimate")}</Badge>
        <span className="text-sm font-normal text-ink-muted">
          {t(estimate.measured ? "plan.measuredSpeedHint" : "plan.estimateHint")}
        </span>
      </h3>
      <p className="tabular-nums">{words.join(" · ")}</p>
    </div>
  );
}
