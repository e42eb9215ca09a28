import { Star } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useHardware, usePlanning } from "../../stores/stores.tsx";
import { FitMatrix } from "./fit-matrix.tsx";
import { OtherMachine } from "./other-machine.tsx";
import { PlanCard } from "./plan-card.tsx";
import { PlanWishes } from "./plan-wishes.tsx";

/** What would fit here or on another machine, under which wishes, and how. */
export function PlannerView() {
  const { t } = useTranslation("planning");
  const matrix = usePlanning((state) => state.matrix);
  const plan = usePlanning((state) => state.plan);
  const chosen = usePlanning((state) => state.chosen);
  const machine = usePlanning((state) => state.plannedMachine);
  const error = usePlanning((state) => state.error);
  const choose = usePlanning((state) => state.choose);
  const setMachine = usePlanning((state) => state.setMachine);
  const setHardware = usePlanning((state) => state.setHardware);
  const watch = usePlanning((state) => state.watch);
  const hardware = useHardware((state) => state.hardware);
  useEffect(() => watch(), [watch]);
  useEffect(() => {
    if (hardware) setHardware(hardware);
  }, [hardware, setHardware]);

  const name = machine ? t("machine.forOther", { machine }) : t("machine.forThis");
  const shown = chosen ?? matrix?.recommended ?? (plan && { model: plan.model, tier: plan.tier });
  return (
    <div className="@container flex flex-col gap-4">
      <div className="flex flex-col gap-4 rounded-xl border border-line bg-surface p-4">
        <PlanWishes />
        <OtherMachine />
      </div>
      {error && error.code !== "HOST_UNREACHABLE" && <ErrorNote>{error.message}</ErrorNote>}
      {!matrix && !error && (
        <div className="flex justify-center py-10">
          <Spinner label={t("planning")} />
        </div>
      )}
      {matrix && (
        <section aria-labelledby="fit" className="rounded-xl border border-line bg-surface p-4">
          <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
            <h2 id="fit" className="font-semibold">
              {name}
            </h2>
            {machine && (
              <Button size="small" onClick={() => setMachine("")}>
                {t("machine.thisMachine")}
              </Button>
            )}
          </div>
          <div className="mb-4 flex items-start gap-2.5 rounded-lg bg-accent-soft px-3.5 py-2.5">
            <Star aria-hidden="true" className="mt-1 size-4 shrink-0 fill-current text-accent-ink" />
            <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-2">
              <p className="min-w-0 flex-1 basis-60">
                {matrix.recommended && <strong className="font-semibold">{t("recommendation.title")}</strong>}{" "}
                {matrix.reason}
              </p>
              {chosen && matrix.recommended && (
                <Button size="small" onClick={() => choose(null)}>
                  {t("recommendation.show")}
                </Button>
              )}
            </div>
          </div>
          <FitMatrix matrix={matrix} shown={shown} onChoose={choose} label={name} />
        </section>
      )}
      {matrix && <PlanCard matrix={matrix} />}
    </div>
  );
}
