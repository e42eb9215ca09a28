import type { ErrorReport, ToolServer } from "@corral/protocol";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Select } from "../../components/select.tsx";
import { Switch } from "../../components/switch.tsx";
import { TextArea } from "../../components/text-area.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useTools } from "../../stores/stores.tsx";
import { draftOf, hostOf, kept, settingsFrom, type ServerDraft } from "./server-form.ts";

/** Adds a tool server, or changes one. An address outside of this network has to be confirmed. */
export function ServerDialog({ server, onClose }: { server: ToolServer | null; onClose: () => void }) {
  const { t } = useTranslation("tools");
  const save = useTools((state) => state.save);
  const [draft, setDraft] = useState<ServerDraft>(() => draftOf(server?.settings ?? null));
  const [refusal, setRefusal] = useState<ErrorReport | null>(null);
  const [saving, setSaving] = useState(false);
  const formId = useId();
  const change = (part: Partial<ServerDraft>) => setDraft((before) => ({ ...before, ...part }));
  const { settings, errors } = settingsFrom(draft, server?.settings.enabled ?? true);
  const host = hostOf(draft.url);
  // The host knows which addresses are near; it is asked, and then asks back.
  const asksToConfirm = draft.kind === "http" && (refusal?.code === "OUTSIDE_ADDRESS" || draft.confirmedOutside);

  const submit = async () => {
    if (settings === null) return;
    setSaving(true);
    const refused = await save(settings, server?.settings.name ?? null);
    setSaving(false);
    setRefusal(refused);
    if (refused === null) onClose();
  };
  const secretError = errors.secrets ? t("form.secretError") : null;
  const secretHint = t("form.secretHint", { keep: kept });

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={server ? t("form.editTitle", { server: server.settings.name }) : t("form.addTitle")}
      description={t("form.description")}
      width="medium"
      actions={
        <>
          <Button onClick={onClose}>{t("form.cancel")}</Button>
          <Button variant="primary" type="submit" form={formId} busy={saving} disabled={settings === null}>
            {t("form.save")}
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="flex flex-col gap-4 pb-2"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {refusal && <ErrorNote onDismiss={() => setRefusal(null)}>{refusal.message}</ErrorNote>}
        <TextField
          label={t("form.name")}
          hint={t("form.nameHint")}
          value={draft.name}
          error={errors.name ? t("form.nameError") : null}
          spellCheck={false}
          onChange={(event) => change({ name: event.target.value })}
        />
        <Select
          label={t("form.kind")}
          value={draft.kind}
          onValueChange={(kind) => change({ kind: kind as ServerDraft["kind"] })}
          options={[
            { value: "stdio", label: t("form.stdio") },
            { value: "http", label: t("form.http") },
          ]}
        />
        {draft.kind === "stdio" ? (
          <>
            <TextField
              label={t("form.command")}
              value={draft.command}
              spellCheck={false}
              className="[&_input]:font-mono [&_textarea]:font-mono"
              onChange={(event) => change({ command: event.target.value })}
            />
            <TextArea
              label={t("form.args")}
              rows={2}
              value={draft.args}
              spellCheck={false}
              className="[&_input]:font-mono [&_textarea]:font-mono"
              onChange={(event) => change({ args: event.target.value })}
            />
            <TextArea
              label={t("form.env")}
              hint={secretHint}
              error={secretError}
              rows={2}
              value={draft.env}
              spellCheck={false}
              className="[&_input]:font-mono [&_textarea]:font-mono"
              onChange={(event) => change({ env: event.target.value })}
            />
          </>
        ) : (
          <>
            <TextField
              label={t("form.url")}
              value={draft.url}
              error={errors.url ? t("form.urlError") : null}
              spellCheck={false}
              className="[&_input]:font-mono [&_textarea]:font-mono"
              // Another place has to be confirmed anew.
              onChange={(event) => change({ url: event.target.value, confirmedOutside: false })}
            />
            <TextArea
              label={t("form.headers")}
              hint={secretHint}
              error={secretError}
              rows={2}
              value={draft.headers}
              spellCheck={false}
              className="[&_input]:font-mono [&_textarea]:font-mono"
              onChange={(event) => change({ headers: event.target.value })}
            />
            {asksToConfirm && host !== null && (
              <Switch
                label={t("form.confirm", { host })}
                hint={t("form.confirmHint", { host })}
                checked={draft.confirmedOutside}
                onCheckedChange={(confirmedOutside) => change({ confirmedOutside })}
              />
            )}
          </>
        )}
        <TextField
          label={t("form.timeout")}
          inputMode="numeric"
          value={draft.timeout}
          error={errors.timeout ? t("form.timeoutError") : null}
          onChange={(event) => change({ timeout: event.target.value })}
        />
      </form>
    </Dialog>
  );
}
