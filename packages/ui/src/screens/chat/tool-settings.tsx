import type { ConversationSettings, ToolDescription } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { Switch } from "../../components/switch.tsx";
import { useTools } from "../../stores/stores.tsx";
import { visibleText } from "../../components/visible-text.ts";

type Tools = ConversationSettings["tools"];

/** Which tools the model may call in a conversation, and which of them no longer ask. */
export function ToolSettings(props: {
  value: Tools;
  onValueChange: (tools: Tools) => void;
  /** False: the model of the conversation knows no tools. */
  usesTools: boolean;
  onManage: () => void;
}) {
  const { t } = useTranslation("tools");
  const tools = useTools((state) => state.tools);
  const { value, onValueChange, usesTools } = props;

  const toggle = ({ name }: ToolDescription, on: boolean) => {
    const others = value.enabled.filter((other) => other !== name);
    onValueChange({ ...value, enabled: on ? [...others, name] : others });
  };
  const revoke = ({ name }: ToolDescription) =>
    onValueChange({ ...value, allowed: value.allowed.filter((tool) => tool.name !== name) });

  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-2 font-semibold">{t("settings.title")}</legend>
      <p className="text-sm text-ink-muted">{t(usesTools ? "settings.hint" : "settings.reader")}</p>
      {tools === null && <Spinner label={t("settings.loading")} />}
      {tools?.map((tool) => (
        <div key={tool.name} className="flex flex-col items-start gap-1 [&>:first-child]:w-full">
          <Switch
            label={nameOf(tool)}
            hint={<ToolHint tool={tool} allowed={value.allowed.some(({ name }) => name === tool.name)} />}
            checked={value.enabled.includes(tool.name)}
            disabled={!usesTools}
            onCheckedChange={(on) => toggle(tool, on)}
          />
          {value.allowed.some(({ name }) => name === tool.name) && (
            <Button size="small" onClick={() => revoke(tool)}>
              {t("settings.revoke")}
            </Button>
          )}
        </div>
      ))}
      <Button size="small" className="self-start" onClick={props.onManage}>
        {t("settings.manage")}
      </Button>
    </fieldset>
  );

  function nameOf({ name, server }: ToolDescription): string {
    if (server !== null) return t("settings.from", { tool: visibleText(name.replace(`${server}__`, "")), server });
    if (name === "search_documents") return t("own.search_documents");
    return name === "calculator" ? t("own.calculator") : t("own.current_time");
  }
}

function ToolHint({ tool, allowed }: { tool: ToolDescription; allowed: boolean }) {
  const { t } = useTranslation("tools");
  if (tool.server === null) {
    if (tool.name === "search_documents") return t("ownHint.search_documents");
    return tool.name === "calculator" ? t("ownHint.calculator") : t("ownHint.current_time");
  }
  return (
    <>
      <span className="line-clamp-2">{visibleText(tool.description)}</span>
      <span>
        {tool.readOnly && `${t("settings.readOnly")} `}
        {t(allowed ? "settings.allowed" : "settings.asks")}
      </span>
    </>
  );
}
