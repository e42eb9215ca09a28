import type { FitMatrix } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { usePlanning } from "../../stores/stores.tsx";
import { PlanAlternatives } from "./plan-alternatives.tsx";
import { PlanDetails } from "./plan-details.tsx";
import { count, size } from "./plan-words.ts";

/** How the chosen model would be loaded, and what else could be done. */
export function PlanCard({ matrix }: { matrix: FitMatrix }) {
  const { t } = useTranslation("planning");
  const plan = usePlanning((state) => state.plan);
  const unpinned = usePlanning((state) => state.unpinned);
  const pins = usePlanning((state) => state.pins);
  const pin = usePlanning((state) => state.pin);
  if (!plan) return null;
  const model = matrix.cells.find((cell) => cell.model === plan.model)?.name ?? plan.model;
  const outcome = plan.fits ? t("plan.fits") : t("plan.missing", { size: size(plan.missingBytes) });
  return (
    <section
      aria-labelledby="plan"
      className="@container flex flex-col gap-4 rounded-xl border border-line bg-surface p-4"
    >
      <header>
        <p className="text-sm text-ink-muted">{t("plan.title")}</p>
        <h2 id="plan" className="font-semibold">
          {model} · {t("plan.tier", { tier: plan.tier })}
        </h2>
      </header>
      <p role="status" className="sr-only">
        {t("plan.status", { model, tier: plan.tier, outcome, tokens: count(plan.contextSize) })}
      </p>
      <PlanDetails plan={plan} />
      {unpinned && <PlanAlternatives chosen={unpinned} pins={pins} onPin={pin} />}
    </section>
  );
}
