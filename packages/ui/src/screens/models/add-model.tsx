import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useConnection, useModels } from "../../stores/stores.tsx";

/** Registers a GGUF file that lies on the host's disk. */
export function AddModel() {
  const { t } = useTranslation("models");
  const add = useModels((state) => state.add);
  const adding = useModels((state) => state.adding);
  const error = useModels((state) => state.errors[""]);
  const dismissError = useModels((state) => state.dismissError);
  const inPlace = useConnection((state) => state.fileTransfer === "paths");
  const [path, setPath] = useState("");
  const wanted = path.trim().replace(/^"(.*)"$/, "$1");
  return (
    <form
      className="rounded-xl border border-dashed border-line-strong/70 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted) void add(wanted).then((added) => added && setPath(""));
      }}
    >
      <h2 className="mb-2 font-semibold">{t("add.title")}</h2>
      <div className="flex flex-wrap items-start gap-2">
        <TextField
          label={t("add.path")}
          labelHidden
          placeholder="/models/Llama-3.1-8B-Instruct-Q4_K_M.gguf"
          hint={t(inPlace ? "add.hintDesktop" : "add.hint")}
          value={path}
          autoComplete="off"
          spellCheck={false}
          maxLength={4096}
          onChange={(event) => setPath(event.target.value)}
          className="min-w-48 flex-1"
        />
        <Button type="submit" icon={<Plus aria-hidden="true" />} busy={adding} disabled={!wanted}>
          {t("add.action")}
        </Button>
      </div>
      {error && error.code !== "HOST_UNREACHABLE" && (
        <ErrorNote className="mt-3" onDismiss={() => dismissError("")}>
          {error.message}
        </ErrorNote>
      )}
    </form>
  );
}
