import type { ToolCall } from "@corral/protocol";
import { Ban, Check, ChevronRight, CircleAlert, CircleHelp, LoaderCircle, ShieldQuestion, Wrench } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { count, duration } from "./number-formats.ts";
import { ToolApproval } from "./tool-approval.tsx";
import { visibleArguments, visibleText } from "../../components/visible-text.ts";

const states = {
  "pending-approval": { tone: "warning", icon: ShieldQuestion },
  running: { tone: "accent", icon: LoaderCircle },
  done: { tone: "neutral", icon: Check },
  denied: { tone: "neutral", icon: Ban },
  failed: { tone: "danger", icon: CircleAlert },
  interrupted: { tone: "warning", icon: CircleHelp },
} as const;

/** One call of a tool: what was called with what, how it stands, what it gave, and the question whether it may run. */
export function ToolCard({ call, messageId }: { call: ToolCall; messageId: string }) {
  const { t } = useTranslation("tools");
  const titleId = useId();
  const { tone, icon: Icon } = states[call.state];
  const isPending = call.state === "pending-approval";
  return (
    <div
      role="group"
      tabIndex={-1}
      aria-labelledby={titleId}
      data-tool-state={call.state}
      className={`flex flex-col gap-2 rounded-lg border bg-surface px-3 py-2.5 text-sm ${
        isPending ? "border-warning" : "border-line"
      }`}
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <Wrench aria-hidden="true" className="size-4 shrink-0 text-ink-muted" />
        <span id={titleId} className="min-w-0 font-medium [overflow-wrap:anywhere]">
          {toolTitle(call, t)}
        </span>
        {call.server !== null && <span className="text-ink-muted">{t("card.server", { server: call.server })}</span>}
        <span className="ml-auto flex items-center gap-2">
          {call.durationMs !== null && (
            <span className="text-xs text-ink-muted tabular-nums">{duration(call.durationMs)}</span>
          )}
          <Badge
            tone={tone}
            icon={<Icon aria-hidden="true" className={call.state === "running" ? "animate-spin" : undefined} />}
          >
            {t(`state.${call.state}`)}
          </Badge>
        </span>
      </div>
      {isPending ? (
        <>
          <PlainBlock label={t("card.arguments")} text={visibleArguments(call.arguments)} />
          <ToolApproval call={call} messageId={messageId} />
        </>
      ) : (
        <Folded title={t("card.arguments")} text={visibleArguments(call.arguments)} />
      )}
      {call.result !== null && call.result !== "" && (
        <Folded
          title={t("card.result", { characters: count(call.result.length) })}
          text={visibleText(call.result)}
          note={call.resultOmitted > 0 ? t("card.omitted", { characters: count(call.resultOmitted) }) : null}
        />
      )}
      {call.state === "interrupted" && <p className="text-ink-muted">{t("card.interrupted")}</p>}
    </div>
  );
}

/** What a tool is called: Corral's own in the language of the page, others as their server does. */
function toolTitle({ name, server }: ToolCall, t: (key: string) => string): string {
  const own: Record<string, string> = {
    search_documents: t("own.search_documents"),
    calculator: t("own.calculator"),
    current_time: t("own.current_time"),
  };
  if (server === null) return own[name] ?? name;
  return visibleText(name.replace(`${server}__`, ""));
}

function Folded({ title, text, note }: { title: string; text: string; note?: string | null }) {
  return (
    <details className="group">
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1 rounded-sm pr-1 text-ink-muted select-none hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden="true" className="size-4 shrink-0 transition-transform group-open:rotate-90" />
        {title}
      </summary>
      <div className="mt-1.5 flex flex-col gap-1.5">
        <PlainBlock label={title} text={text} />
        {note && <p className="text-ink-muted">{note}</p>}
      </div>
    </details>
  );
}

/** Text of a model or a tool: never formatted, never a link. Scrolls where it is long, with the keyboard too. */
function PlainBlock({ label, text }: { label: string; text: string }) {
  return (
    <pre
      tabIndex={0}
      role="group"
      aria-label={label}
      className="max-h-64 overflow-auto rounded-md bg-code-ground px-3 py-2 font-mono text-xs whitespace-pre-wrap text-code-ink [overflow-wrap:anywhere]"
    >
      {text}
    </pre>
  );
}
