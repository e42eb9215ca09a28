import type { ToolDescription, ToolServer } from "@corral/protocol";
import { ChevronRight, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Switch } from "../../components/switch.tsx";
import { visibleText } from "../../components/visible-text.ts";
import { useTools } from "../../stores/stores.tsx";
import { ServerDialog } from "./server-dialog.tsx";

const tones = { off: "neutral", starting: "neutral", ready: "accent", failed: "danger" } as const;

/** One MCP server: where it is, how it is, what it offers. */
export function ServerCard({ server }: { server: ToolServer }) {
  const { t } = useTranslation("tools");
  const setEnabled = useTools((state) => state.setEnabled);
  const restart = useTools((state) => state.restart);
  const remove = useTools((state) => state.remove);
  const [editing, setEditing] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { settings, state, error, tools, refused } = server;
  const { name, transport } = settings;
  const place = transport.kind === "stdio" ? [transport.command, ...transport.args].join(" ") : transport.url;
  return (
    <article className="flex flex-col gap-3 rounded-xl border border-line bg-surface p-4">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">{name}</h2>
        <Badge tone={tones[state]}>{t(`servers.state.${state}`)}</Badge>
        {transport.kind === "http" && transport.confirmedOutside && (
          <Badge tone="warning">{t("servers.outside")}</Badge>
        )}
        <div className="ml-auto flex items-center">
          <IconButton
            size="small"
            label={t("servers.restart", { server: name })}
            icon={<RotateCw aria-hidden="true" />}
            disabled={!settings.enabled}
            onClick={() => void restart(name)}
          />
          <IconButton
            size="small"
            label={t("servers.edit", { server: name })}
            icon={<Pencil aria-hidden="true" />}
            onClick={() => setEditing(true)}
          />
          <IconButton
            size="small"
            variant="danger"
            label={t("servers.remove", { server: name })}
            icon={<Trash2 aria-hidden="true" />}
            onClick={() => setRemoving(true)}
          />
        </div>
      </header>
      <p className="font-mono text-sm text-ink-muted [overflow-wrap:anywhere]">{visibleText(place)}</p>
      <Switch
        label={t("servers.enabled", { server: name })}
        checked={settings.enabled}
        onCheckedChange={(enabled) => void setEnabled(server, enabled)}
      />
      {error && <ErrorNote tone="warning">{visibleText(error.message)}</ErrorNote>}
      {tools.length > 0 && <ServerTools server={name} tools={tools} />}
      {refused.length > 0 && (
        <div className="text-sm">
          <h3 className="font-medium">{t("servers.refused")}</h3>
          <ul className="text-ink-muted">
            {refused.map((tool) => (
              <li key={tool.name} className="[overflow-wrap:anywhere]">
                {visibleText(`${tool.name}: ${tool.reason}`)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {editing && <ServerDialog server={server} onClose={() => setEditing(false)} />}
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={t("servers.removeTitle", { server: name })}
        description={t("servers.removeText")}
        confirmLabel={t("servers.removeAction")}
        dangerous
        onConfirm={() => void remove(name)}
      />
    </article>
  );
}

function ServerTools({ server, tools }: { server: string; tools: readonly ToolDescription[] }) {
  const { t } = useTranslation("tools");
  return (
    <details className="group">
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1 rounded-sm pr-1 font-medium select-none [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden="true" className="size-4 shrink-0 transition-transform group-open:rotate-90" />
        {t("servers.toolCount", { count: tools.length })}
      </summary>
      <p className="mt-2 text-sm text-ink-muted">{t("servers.foreign")}</p>
      <ul aria-label={t("servers.tools", { server })} className="mt-2 flex flex-col gap-3">
        {tools.map((tool) => (
          <li key={tool.name} className="text-sm">
            <span className="flex flex-wrap items-center gap-2">
              <code className="font-mono [overflow-wrap:anywhere]">{tool.name}</code>
              {tool.readOnly && <Badge>{t("servers.readOnly")}</Badge>}
            </span>
            {tool.description && (
              <p className="text-ink-muted whitespace-pre-line [overflow-wrap:anywhere]">
                {visibleText(tool.description)}
              </p>
            )}
            <details>
              <summary className="w-fit cursor-pointer rounded-sm text-ink-muted underline underline-offset-2 hover:text-ink">
                {t("servers.schema")}
              </summary>
              <pre
                tabIndex={0}
                role="group"
                aria-label={t("servers.schema")}
                className="mt-1 max-h-64 overflow-auto rounded-md bg-code-ground px-3 py-2 font-mono text-xs whitespace-pre-wrap text-code-ink [overflow-wrap:anywhere]"
              >
                {visibleText(JSON.stringify(tool.parameters, null, 2))}
              </pre>
            </details>
          </li>
        ))}
      </ul>
    </details>
  );
}
