import type { ServingSettings } from "@corral/protocol";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { Button } from "../../components/button.tsx";
import { Select, type SelectOption } from "../../components/select.tsx";
import { Switch } from "../../components/switch.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useModels, useServing } from "../../stores/stores.tsx";
import { LimitsFields } from "./limits-fields.tsx";
import { changesOf, draftOf, wholeNumber, type ServingDraft } from "./serving-draft.ts";

const minute = 60_000;
const keepAliveChoices = [0, 5, 30, 60, 240, 1440].map((minutes) => minutes * minute);
const parallelChoices = [1, 2, 4, 8, 16];
const budgetChoices = [0, 1, 5, 10, 50, 200].map((gib) => gib * 2 ** 30);

/** Everything that can be set about serving. Nothing changes before it is saved. */
export function ServingForm({ settings }: { settings: ServingSettings }) {
  const { t } = useTranslation("settings");
  const change = useServing((state) => state.change);
  const saving = useServing((state) => state.saving);
  const [draft, setDraft] = useState(() => draftOf(settings));
  const [saved, setSaved] = useState(false);
  const changes = changesOf(draft, settings);
  const touched = changes === null || Object.keys(changes).length > 0;
  const set = (part: Partial<ServingDraft>) => {
    setSaved(false);
    setDraft((before) => ({ ...before, ...part }));
  };
  return (
    <form
      className="flex flex-col gap-6 pb-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (changes) void change(changes).then(setSaved);
      }}
    >
      <ModelChoices draft={draft} set={set} />
      <MemoryChoices draft={draft} set={set} />
      <Group title={t("limits.title")}>
        <TextField
          label={t("limits.queue")}
          inputMode="numeric"
          value={draft.queueLimit}
          error={wholeNumber(draft.queueLimit) === null ? t("wrong", { least: 1 }) : null}
          onChange={(event) => set({ queueLimit: event.target.value })}
        />
        <div className="sm:col-span-2">
          <LimitsFields owner={draft.owner} others={draft.others} onChange={set} />
        </div>
      </Group>
      <footer className="sticky -bottom-4 -mx-1 flex items-center gap-3 border-t border-line bg-canvas px-1 py-3">
        <Button type="submit" variant="primary" busy={saving} disabled={!touched || changes === null}>
          {t("save")}
        </Button>
        <p role="status" className="text-sm text-ink-muted">
          {saved && !touched && t("saved")}
        </p>
      </footer>
    </form>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="rounded-xl border border-line bg-surface p-4">
      <h2 className="mb-3 font-semibold">{title}</h2>
      <div className="grid items-start gap-4 sm:grid-cols-2">{children}</div>
    </section>
  );
}

interface PartProps {
  draft: ServingDraft;
  set: (part: Partial<ServingDraft>) => void;
}

function ModelChoices({ draft, set }: PartProps) {
  const { t } = useTranslation("settings");
  const models = useModels((state) => state.models);
  const of = (abilities: string[], chosen: string, first: string): SelectOption[] => {
    const found = models.filter(({ ability }) => abilities.includes(ability));
    return [
      { value: "", label: found.length > 0 ? first : t("models.noneInstalled") },
      ...found.map(({ id, name }) => ({ value: id, label: name })),
      // A model that was chosen and is gone stays what is chosen.
      ...(chosen && !found.some(({ id }) => id === chosen) ? [{ value: chosen, label: chosen }] : []),
    ];
  };
  return (
    <Group title={t("models.title")}>
      <Select
        label={t("models.default")}
        value={draft.defaultModel}
        onValueChange={(defaultModel) => set({ defaultModel })}
        options={of(["chat", "quote"], draft.defaultModel, t("models.firstChat"))}
        className="sm:col-span-2"
      />
      <Select
        label={t("models.embedding")}
        hint={t("models.embeddingHint")}
        value={draft.embeddingModel}
        onValueChange={(embeddingModel) => set({ embeddingModel })}
        options={of(["embed"], draft.embeddingModel, t("models.firstAdded"))}
      />
      <Select
        label={t("models.rerank")}
        hint={t("models.rerankHint")}
        value={draft.rerankModel}
        onValueChange={(rerankModel) => set({ rerankModel })}
        options={of(["rank"], draft.rerankModel, t("models.firstAdded"))}
      />
      <div className="flex flex-col gap-3 sm:col-span-2">
        <Switch
          label={t("models.prefixes")}
          hint={t("models.prefixesHint")}
          checked={draft.prefixes !== null}
          onCheckedChange={(on) => set({ prefixes: on ? { query: "", document: "" } : null })}
        />
        {draft.prefixes && (
          <div className="grid gap-4 sm:grid-cols-2">
            {(["query", "document"] as const).map((part) => (
              <TextField
                key={part}
                label={t(part === "query" ? "models.prefixQuery" : "models.prefixDocument")}
                value={draft.prefixes?.[part] ?? ""}
                maxLength={1000}
                className="font-mono"
                onChange={(event) =>
                  set({ prefixes: { ...(draft.prefixes ?? { query: "", document: "" }), [part]: event.target.value } })
                }
              />
            ))}
          </div>
        )}
      </div>
    </Group>
  );
}

function MemoryChoices({ draft, set }: PartProps) {
  const { t, i18n } = useTranslation("settings");
  const time = (ms: number) => {
    if (ms === 0) return t("memory.atOnce");
    const minutes = ms / minute;
    return minutes < 60 || minutes % 60 !== 0
      ? t("memory.minutes", { count: Math.round(minutes) })
      : t("memory.hours", { count: minutes / 60 });
  };
  /** The usual choices, and what is set now if that is another one. */
  const choices = (usual: number[], now: string, label: (value: number) => string): SelectOption[] => {
    const other = now === "" || now === "never" || usual.includes(Number(now)) ? [] : [Number(now)];
    return [...usual, ...other].sort((a, b) => a - b).map((value) => ({ value: String(value), label: label(value) }));
  };
  return (
    <Group title={t("memory.title")}>
      <Select
        label={t("memory.keepAlive")}
        value={draft.keepAlive}
        onValueChange={(keepAlive) => set({ keepAlive })}
        options={[...choices(keepAliveChoices, draft.keepAlive, time), { value: "never", label: t("memory.never") }]}
      />
      <Select
        label={t("memory.parallel")}
        hint={t("memory.parallelHint")}
        value={draft.parallelReplies}
        onValueChange={(parallelReplies) => set({ parallelReplies })}
        options={[
          { value: "", label: t("memory.parallelAuto") },
          ...choices(parallelChoices, draft.parallelReplies, (value) => value.toLocaleString(i18n.language)),
        ]}
      />
      <Select
        label={t("memory.stateBudget")}
        hint={t("memory.stateBudgetHint")}
        value={draft.stateBudget}
        onValueChange={(stateBudget) => set({ stateBudget })}
        options={[
          { value: "", label: t("memory.stateAuto") },
          ...choices(budgetChoices, draft.stateBudget, (bytes) =>
            bytes === 0 ? t("memory.stateNone") : byteSize(bytes, i18n.language),
          ),
        ]}
        className="sm:col-span-2"
      />
    </Group>
  );
}
