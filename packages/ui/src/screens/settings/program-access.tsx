import type { ProgramAccess as Access } from "@corral/protocol";
import { Eye, EyeOff } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Select } from "../../components/select.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { useConnection, useLibrary, useModels } from "../../stores/stores.tsx";
import { snippets, type SnippetFacts } from "./snippets.ts";

const hiddenKey = "••••••••••••";
const programs = [
  { value: "curl", name: "curl" },
  { value: "openai", name: "Python · openai" },
  { value: "anthropic", name: "Python · anthropic" },
] as const;

/** What other programs need to use this host: base URLs, the key, and examples that can be run as they are. */
export function ProgramAccess({ access }: { access: Access }) {
  const { t } = useTranslation("settings");
  const [shown, setShown] = useState(false);
  const inPlace = useConnection((state) => state.fileTransfer === "paths");
  // In a browser the way this page came is the way other programs come.
  const address = inPlace ? access.address : window.location.origin;
  if (address === null) return <ErrorNote tone="warning">{t("access.notListening")}</ErrorNote>;
  return (
    <section aria-labelledby="program-access" className="flex flex-col gap-4 pb-4">
      <div>
        <h2 id="program-access" className="font-semibold">
          {t("access.title")}
        </h2>
        <p className="text-ink-muted text-pretty">{t("access.explanation")}</p>
      </div>
      <dl className="flex flex-col gap-3 rounded-xl border border-line bg-surface p-4">
        <Line name={t("access.openai")} value={`${address}/v1`} copied={`${address}/v1`} />
        <Line name={t("access.anthropic")} value={address} copied={address} />
        <Line
          name={t("access.key")}
          value={shown ? access.key : hiddenKey}
          copied={access.key}
          hint={t("access.keyHint")}
        >
          <IconButton
            size="small"
            label={t(shown ? "access.hide" : "access.show")}
            aria-pressed={shown}
            icon={shown ? <EyeOff aria-hidden="true" /> : <Eye aria-hidden="true" />}
            onClick={() => setShown(!shown)}
          />
        </Line>
      </dl>
      <Examples address={address} accessKey={access.key} shown={shown} />
    </section>
  );
}

interface LineProps {
  name: string;
  value: string;
  copied: string;
  hint?: string;
  children?: ReactNode;
}

function Line({ name, value, copied, hint, children }: LineProps) {
  const { t } = useTranslation("settings");
  return (
    <div>
      <dt className="text-sm text-ink-muted">{name}</dt>
      <dd className="flex items-center gap-1">
        <span className="min-w-0 font-mono text-sm [overflow-wrap:anywhere]">{value}</span>
        {children}
        <CopyButton label={t("access.copy", { what: name })} text={copied} />
      </dd>
      {hint && <dd className="text-sm text-ink-muted">{hint}</dd>}
    </div>
  );
}

function Examples({ address, accessKey, shown }: { address: string; accessKey: string; shown: boolean }) {
  const { t } = useTranslation("settings");
  const models = useModels((state) => state.models).filter(
    ({ ability, state }) => (ability === "chat" || ability === "quote") && state !== "absent",
  );
  const collections = useLibrary((state) => state.collections);
  const [model, setModel] = useState<string | null>(null);
  const [collection, setCollection] = useState<string | null>(null);
  const [program, setProgram] = useState<string>("curl");
  const first = models.find(({ ability }) => ability === "chat") ?? models[0];
  if (!first) return <p className="text-ink-muted">{t("access.noModel")}</p>;
  const chosen = models.find(({ id }) => id === model) ?? first;
  // The reader model only quotes documents, so its example has some where there are any.
  const wanted = collection ?? (chosen.ability === "quote" ? (collections[0]?.name ?? "") : "");
  const facts: Omit<SnippetFacts, "key"> = {
    address,
    model: wanted ? `${chosen.id}+${wanted}` : chosen.id,
    question: "When does the gate close?",
  };
  return (
    <div className="flex flex-col gap-3">
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          label={t("access.model")}
          value={chosen.id}
          onValueChange={setModel}
          options={models.map(({ id, name }) => ({ value: id, label: name }))}
        />
        <Select
          label={t("access.collection")}
          value={wanted}
          onValueChange={setCollection}
          options={[
            { value: "", label: t("access.noCollection") },
            ...collections.map(({ name }) => ({ value: name, label: name })),
          ]}
        />
      </div>
      <Tabs
        label={t("access.examples")}
        value={program}
        onValueChange={setProgram}
        tabs={programs.map(({ value, name }) => ({
          value,
          label: name,
          content: (
            <div className="relative rounded-lg bg-code-ground">
              <pre
                tabIndex={0}
                aria-label={t("access.example", { name })}
                className="overflow-x-auto p-4 pr-12 font-mono text-sm text-code-ink"
              >
                {snippets[value]({ ...facts, key: shown ? accessKey : hiddenKey })}
              </pre>
              <span className="absolute top-1.5 right-1.5 rounded-md bg-code-ground">
                <CopyButton label={t("access.copyExample")} text={snippets[value]({ ...facts, key: accessKey })} />
              </span>
            </div>
          ),
        }))}
      />
    </div>
  );
}
