import type { LoadPlan, PlanAlternative, PlanPins } from "@corral/protocol";
import { Check, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { classNames } from "../../components/class-names.ts";
import { alternativeCost, count } from "./plan-words.ts";

interface PlanAlternativesProps {
  /** What Corral chose: what the alternatives are compared with. */
  chosen: LoadPlan;
  /** The alternative that was taken instead. */
  pins: PlanPins | null;
  onPin: (pins: PlanPins | null) => void;
}

/** The other ways to load the model and what each costs. Pressing one plans with it. */
export function PlanAlternatives({ chosen, pins, onPin }: PlanAlternativesProps) {
  const { t } = useTranslation("planning");
  if (chosen.alternatives.length === 0) return null;
  return (
    <div>
      <div className="mb-1 flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium">{t("alternatives.title")}</h3>
        {pins && (
          <Button size="small" onClick={() => onPin(null)}>
            {t("alternatives.reset")}
          </Button>
        )}
      </div>
      <p className="mb-2 text-sm text-ink-muted">{t("alternatives.intro")}</p>
      <ul className="grid gap-1.5 @lg:grid-cols-2">
        {chosen.alternatives.map((other) => (
          <li key={`${other.quantization} ${other.kvCacheType} ${other.contextSize}`}>
            <Alternative other={other} chosen={chosen} isPinned={isPinned(other, pins)} onPin={onPin} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface AlternativeProps {
  other: PlanAlternative;
  chosen: LoadPlan;
  isPinned: boolean;
  onPin: (pins: PlanPins | null) => void;
}

function Alternative({ other, chosen, isPinned, onPin }: AlternativeProps) {
  const { t } = useTranslation("planning");
  const { tier, quantization, kvCacheType, contextSize } = other;
  const tierName = tier === quantization ? tier : `${tier} · ${quantization}`;
  const Icon = other.fits ? Check : X;
  return (
    <button
      type="button"
      aria-pressed={isPinned}
      onClick={() => onPin(isPinned ? null : { tier, quantization, kvCacheType, contextSize })}
      className={classNames(
        "flex h-full w-full items-start gap-2 rounded-md border px-2.5 py-1.5 text-left text-sm transition-colors",
        isPinned ? "border-accent bg-accent-soft" : "border-line-strong/60 bg-surface hover:bg-hover",
      )}
    >
      <Icon
        aria-hidden="true"
        className={classNames("mt-0.5 size-4 shrink-0", other.fits ? "text-accent-ink" : "text-ink-muted")}
      />
      <span className="min-w-0">
        <span className="block tabular-nums">
          {t("alternatives.name", { tier: tierName, kvCache: kvCacheType, tokens: count(contextSize) })}
        </span>
        <span className="block text-ink-muted tabular-nums">
          {[other.fits && t("plan.fits"), alternativeCost(other, chosen)].filter(Boolean).join(": ")}
        </span>
      </span>
    </button>
  );
}

function isPinned(other: PlanAlternative, pins: PlanPins | null): boolean {
  return (
    pins !== null &&
    pins.quantization === other.quantization &&
    pins.kvCacheType === other.kvCacheType &&
    pins.contextSize === other.contextSize
  );
}
