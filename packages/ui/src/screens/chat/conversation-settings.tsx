import type { Sampling } from "@corral/protocol";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Select } from "../../components/select.tsx";
import { Slider } from "../../components/slider.tsx";
import { Switch } from "../../components/switch.tsx";
import { TextArea } from "../../components/text-area.tsx";
import { TextField } from "../../components/text-field.tsx";
import { newConversationSettings } from "../../stores/chat-store.ts";
import { useChat, useModels, useNavigation } from "../../stores/stores.tsx";
import { OverflowSelect } from "./overflow-select.tsx";
import { ToolSettings } from "./tool-settings.tsx";

/** Model, instructions and sampling of the open conversation. */
export function ConversationSettingsDialog(props: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const conversationId = useChat((state) => state.conversationId);
  // Starts from the stored settings each time it opens, and for each conversation.
  return props.open && <OpenDialog key={conversationId} onClose={() => props.onOpenChange(false)} />;
}

/** What a number field holds before it is a number. */
interface NumberDrafts {
  topK: string;
  maxTokens: string;
  seed: string;
}

function OpenDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("chat");
  const settings = useChat((state) => state.settings);
  const configure = useChat((state) => state.configure);
  const error = useChat((state) => state.error);
  const dismissError = useChat((state) => state.dismissError);
  const models = useModels((state) => state.models);
  const show = useNavigation((state) => state.show);
  const [model, setModel] = useState(settings.model);
  const [systemPrompt, setSystemPrompt] = useState(settings.systemPrompt);
  const [sampling, setSampling] = useState(settings.sampling);
  const [drafts, setDrafts] = useState(draftsOf(settings.sampling));
  const [tools, setTools] = useState(settings.tools);
  const [overflow, setOverflow] = useState(settings.overflow);
  const [documents, setDocuments] = useState({
    wholeDocuments: settings.wholeDocuments ?? true,
    rewriteQuestions: settings.rewriteQuestions ?? true,
  });
  const formId = useId();
  const [saving, setSaving] = useState(false);

  const active = models.find(({ id }) => id === model) ?? models[0];
  const writers = models.filter(({ ability }) => ability === "chat" || ability === "quote");
  const numbers = parse(drafts);
  const change = (part: Partial<Sampling>) => setSampling((before) => ({ ...before, ...part }));
  const draft = (part: Partial<NumberDrafts>) => setDrafts((before) => ({ ...before, ...part }));

  const save = async () => {
    if (!numbers.valid) return;
    setSaving(true);
    const { topK, maxTokens, seed } = numbers;
    const samplingNow = { ...sampling, topK, maxTokens, seed };
    const saved = await configure({ model, systemPrompt, sampling: samplingNow, tools, overflow, ...documents });
    setSaving(false);
    // A failure is said here; what was entered stays.
    if (saved) onClose();
  };

  const actions = (
    <>
      <Button
        variant="quiet"
        className="mr-auto"
        onClick={() => {
          setSampling(newConversationSettings.sampling);
          setDrafts(draftsOf(newConversationSettings.sampling));
        }}
      >
        {t("dialog.reset")}
      </Button>
      <Button onClick={onClose}>{t("dialog.cancel")}</Button>
      <Button variant="primary" type="submit" form={formId} busy={saving} disabled={!numbers.valid}>
        {t("dialog.save")}
      </Button>
    </>
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("settings")}
      description={t("dialog.description")}
      width="medium"
      actions={actions}
    >
      <form
        id={formId}
        className="flex flex-col gap-5 pb-2"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {error && <ErrorNote onDismiss={dismissError}>{error.message}</ErrorNote>}
        <Select
          label={t("model.label")}
          value={model ?? ""}
          onValueChange={(value) => setModel(value || null)}
          options={[
            { value: "", label: t("model.default", { model: models[0]?.name ?? "–" }) },
            ...writers.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          hint={active?.ability === "quote" ? t("model.reader") : undefined}
        />
        <TextArea
          label={t("dialog.systemPrompt")}
          hint={t(active?.ability === "quote" ? "dialog.systemPromptReader" : "dialog.systemPromptHint")}
          value={systemPrompt}
          maxLength={100_000}
          onChange={(event) => setSystemPrompt(event.target.value)}
        />
        <OverflowSelect value={overflow} onValueChange={setOverflow} disabled={active?.ability === "quote"} />
        <fieldset className="flex flex-col gap-4" disabled={active?.ability === "quote"}>
          <legend className="mb-3 font-semibold">{t("documents.title")}</legend>
          <Switch
            label={t("documents.whole")}
            hint={t("documents.wholeHint")}
            checked={documents.wholeDocuments}
            onCheckedChange={(wholeDocuments) => setDocuments((before) => ({ ...before, wholeDocuments }))}
            disabled={active?.ability === "quote"}
          />
          <Switch
            label={t("documents.rewrite")}
            hint={t("documents.rewriteHint")}
            checked={documents.rewriteQuestions}
            onCheckedChange={(rewriteQuestions) => setDocuments((before) => ({ ...before, rewriteQuestions }))}
            disabled={active?.ability === "quote"}
          />
        </fieldset>
        <ToolSettings
          value={tools}
          onValueChange={setTools}
          usesTools={active?.ability !== "quote"}
          onManage={() => {
            onClose();
            show("tools");
          }}
        />
        <fieldset className="flex flex-col gap-4">
          <legend className="mb-3 font-semibold">{t("dialog.sampling")}</legend>
          <Slider
            label={t("dialog.temperature")}
            hint={t("dialog.temperatureHint")}
            value={sampling.temperature}
            min={0}
            max={2}
            step={0.05}
            onValueChange={(temperature) => change({ temperature })}
          />
          <Slider
            label={t("dialog.topP")}
            hint={t("dialog.topPHint")}
            value={sampling.topP}
            min={0.05}
            max={1}
            step={0.05}
            onValueChange={(topP) => change({ topP })}
          />
          <Slider
            label={t("dialog.minP")}
            hint={t("dialog.minPHint")}
            value={sampling.minP}
            min={0}
            max={1}
            step={0.01}
            onValueChange={(minP) => change({ minP })}
          />
          <Slider
            label={t("dialog.repeatPenalty")}
            hint={t("dialog.repeatPenaltyHint")}
            value={sampling.repeatPenalty}
            min={1}
            max={2}
            step={0.01}
            onValueChange={(repeatPenalty) => change({ repeatPenalty })}
          />
          <div className="grid gap-4 sm:grid-cols-3">
            <TextField
              label={t("dialog.maxTokens")}
              inputMode="numeric"
              value={drafts.maxTokens}
              error={numbers.maxTokens === null ? t("dialog.maxTokensError") : null}
              onChange={(event) => draft({ maxTokens: event.target.value })}
            />
            <TextField
              label={t("dialog.topK")}
              hint={t("dialog.topKHint")}
              inputMode="numeric"
              value={drafts.topK}
              error={numbers.topK === null ? t("dialog.topKError") : null}
              onChange={(event) => draft({ topK: event.target.value })}
            />
            <TextField
              label={t("dialog.seed")}
              hint={t("dialog.seedHint")}
              inputMode="numeric"
              value={drafts.seed}
              error={numbers.seed === undefined ? t("dialog.seedError") : null}
              onChange={(event) => draft({ seed: event.target.value })}
            />
          </div>
        </fieldset>
      </form>
    </Dialog>
  );
}

function draftsOf({ topK, maxTokens, seed }: Sampling): NumberDrafts {
  return { topK: String(topK), maxTokens: String(maxTokens), seed: seed === null ? "" : String(seed) };
}

type Parsed =
  | { valid: true; topK: number; maxTokens: number; seed: number | null }
  | { valid: false; topK: number | null; maxTokens: number | null; seed: number | null | undefined };

/** The limits are the contract's. A field that holds no such number: null, for the seed undefined. */
function parse(drafts: NumberDrafts): Parsed {
  const topK = wholeNumber(drafts.topK, 0, 1_000);
  const maxTokens = wholeNumber(drafts.maxTokens, 1, 131_072);
  const seed = drafts.seed.trim() === "" ? null : (wholeNumber(drafts.seed, 0, 4_294_967_295) ?? undefined);
  if (topK === null || maxTokens === null || seed === undefined) return { valid: false, topK, maxTokens, seed };
  return { valid: true, topK, maxTokens, seed };
}

function wholeNumber(text: string, min: number, max: number): number | null {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}
