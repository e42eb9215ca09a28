import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useConnection } from "../../stores/stores.tsx";

/** Instead of the app, when the host does not accept this page's key. */
export function AccessKeyScreen({ reason }: { reason: "key-missing" | "key-wrong" }) {
  const { t } = useTranslation("connection");
  const enterKey = useConnection((state) => state.enterKey);
  const [key, setKey] = useState("");
  return (
    <main className="flex min-h-dvh items-center justify-center bg-canvas p-6">
      <form
        className="flex w-full max-w-md flex-col gap-4 rounded-xl border border-line bg-surface p-6 shadow-raised"
        onSubmit={(event) => {
          event.preventDefault();
          // People paste the whole address as often as the key alone.
          const pasted = /[#&]key=([^&\s]+)/.exec(key)?.[1] ?? key.trim();
          if (pasted) enterKey(pasted);
        }}
      >
        <KeyRound aria-hidden="true" className="size-7 text-accent-ink" />
        <h1 className="text-xl font-semibold text-balance">
          {t(reason === "key-missing" ? "keyMissingTitle" : "keyWrongTitle")}
        </h1>
        <p className="text-ink-muted text-pretty">{t("keyHelp")}</p>
        <TextField
          label={t("keyLabel")}
          value={key}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setKey(event.target.value)}
        />
        <Button variant="primary" type="submit" disabled={!key.trim()}>
          {t("keySubmit")}
        </Button>
      </form>
    </main>
  );
}
