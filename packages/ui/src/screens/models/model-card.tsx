import type { ModelState, ModelSummary } from "@corral/protocol";
import { ChevronDown, Ellipsis, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge, type BadgeProps } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { byteSize } from "../../components/byte-size.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { useModels } from "../../stores/stores.tsx";
import { LoadPlanView } from "./load-plan-view.tsx";

const tones: Record<ModelState, NonNullable<BadgeProps["tone"]>> = {
  unloaded: "neutral",
  pending: "neutral",
  loading: "neutral",
  ready: "accent",
  idle: "accent",
  unloading: "neutral",
  quarantined: "warning",
  absent: "danger",
};

/** One model: what it is, what it can be asked, how it stands, and how it would be loaded. */
export function ModelCard({ model }: { model: ModelSummary }) {
  const { t, i18n } = useTranslation("models");
  const remove = useModels((state) => state.remove);
  const actionError = useModels((state) => state.errors[model.id]);
  const dismissError = useModels((state) => state.dismissError);
  const [planShown, setPlanShown] = useState(false);
  const [removing, setRemoving] = useState(false);
  const planId = useId();
  const error = actionError ?? model.lastError;
  const tokens = (count: number) => count.toLocaleString(i18n.language);

  const facts = [
    t("tier", { tier: model.tier, quantization: model.quantization }),
    byteSize(model.fileBytes, i18n.language),
    model.shape &&
      t("parameters", {
        number: Intl.NumberFormat(i18n.language, { notation: "compact", maximumFractionDigits: 1 }).format(
          model.shape.parameters,
        ),
      }),
    model.contextSize !== null
      ? t("context", { tokens: tokens(model.contextSize) })
      : model.shape && t("contextUpTo", { tokens: tokens(model.shape.trainContextSize) }),
  ].filter(Boolean);

  return (
    <article
      aria-label={model.name}
      className="overflow-hidden rounded-xl border border-line bg-surface"
      data-model={model.id}
      data-state={model.state}
    >
      <div className="flex flex-col gap-2 p-4">
        <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
          <div className="min-w-40 flex-1">
            <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <h2 className="font-semibold [overflow-wrap:anywhere]">{model.name}</h2>
              <Badge tone={tones[model.state]}>{t(`state.${model.state}`)}</Badge>
              {model.embedded && <Badge>{t("embedded")}</Badge>}
            </div>
            <p className="mt-1 text-sm text-ink-muted">{facts.join(" · ")}</p>
          </div>
          <div className="flex items-center gap-1">
            <LoadButton model={model} />
            {!model.embedded && (
              <Menu
                trigger={
                  <IconButton plain label={t("actions", { name: model.name })} icon={<Ellipsis aria-hidden="true" />} />
                }
              >
                <MenuItem icon={<Trash2 />} dangerous onSelect={() => setRemoving(true)}>
                  {t("remove")}
                </MenuItem>
              </Menu>
            )}
          </div>
        </div>
        <p className="text-pretty">{t(`ability.${model.ability}`)}</p>
        {!model.embedded && (
          <p title={model.file} className="truncate font-mono text-xs text-ink-muted">
            {model.file}
          </p>
        )}
        {model.state === "loading" && (
          <ProgressBar label={t("loadingNamed", { name: model.name })} value={model.loadProgress} />
        )}
        {error && error.code !== "HOST_UNREACHABLE" && (
          <ErrorNote {...(actionError ? { onDismiss: () => dismissError(model.id) } : {})}>{error.message}</ErrorNote>
        )}
      </div>
      {model.state !== "absent" && (
        <div className="border-t border-line">
          <button
            type="button"
            aria-expanded={planShown}
            aria-controls={planId}
            onClick={() => setPlanShown(!planShown)}
            className="flex w-full items-center gap-2 px-4 py-2 text-left text-sm font-medium text-ink-muted transition-colors hover:bg-hover hover:text-ink focus-visible:-outline-offset-2"
          >
            <ChevronDown
              aria-hidden="true"
              className={`size-4 transition-transform ${planShown ? "" : "-rotate-90"}`}
            />
            {t("plan.title")}
          </button>
          <div id={planId}>{planShown && <LoadPlanView model={model} />}</div>
        </div>
      )}
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={t("removeTitle", { name: model.name })}
        description={t("removeDescription", { file: model.file })}
        confirmLabel={t("remove")}
        dangerous
        onConfirm={() => void remove(model.id)}
      />
    </article>
  );
}

function LoadButton({ model }: { model: ModelSummary }) {
  const { t } = useTranslation("models");
  const load = useModels((state) => state.load);
  const unload = useModels((state) => state.unload);
  switch (model.state) {
    case "unloaded":
    case "quarantined":
      return (
        <Button variant="primary" aria-label={t("loadNamed", { name: model.name })} onClick={() => void load(model.id)}>
          {t("load")}
        </Button>
      );
    case "ready":
    case "idle":
      return (
        <Button aria-label={t("unloadNamed", { name: model.name })} onClick={() => void unload(model.id)}>
          {t("unload")}
        </Button>
      );
    case "pending":
    case "loading":
    case "unloading":
      return <Button busy>{t(`state.${model.state}`)}</Button>;
    case "absent":
      return null;
  }
}
