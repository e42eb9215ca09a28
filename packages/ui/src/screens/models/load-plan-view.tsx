import type { ModelSummary } from "@corral/protocol";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Spinner } from "../../components/spinner.tsx";
import { useModels } from "../../stores/stores.tsx";
import { MeasuredMemory } from "../planning/measured-memory.tsx";
import { PlanDetails } from "../planning/plan-details.tsx";

/** How a model would be loaded on this machine, or, once it is, how it was and what that took. */
export function LoadPlanView({ model }: { model: ModelSummary }) {
  const { t } = useTranslation("models");
  const planned = useModels((state) => state.plans[model.id]);
  const planFor = useModels((state) => state.planFor);
  const failed = useModels((state) => state.errors[model.id] !== undefined);
  useEffect(() => {
    void planFor(model.id);
    // Memory in use differs once the model is loaded or gone.
  }, [planFor, model.id, model.state]);

  const plan = model.memory?.plan ?? planned;
  if (!plan) {
    return <div className="px-4 pt-3 pb-4">{failed ? null : <Spinner label={t("plan.loading")} />}</div>;
  }
  return (
    <div className="flex flex-col gap-4 px-4 pt-3 pb-4">
      <PlanDetails plan={plan} />
      {model.memory && <MeasuredMemory plan={plan} measured={model.memory.measured} />}
    </div>
  );
}
