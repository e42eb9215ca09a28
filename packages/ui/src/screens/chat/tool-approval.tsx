import type { ToolCall, ToolDecision } from "@corral/protocol";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useChat } from "../../stores/stores.tsx";

/** Asks whether a call may run. What is to be decided stands above it: the exact arguments. */
export function ToolApproval({ call, messageId }: { call: ToolCall; messageId: string }) {
  const { t } = useTranslation("tools");
  const decide = useChat((state) => state.decide);
  const [chosen, setChosen] = useState<ToolDecision | null>(null);
  const group = useRef<HTMLDivElement>(null);
  const answer = async (decision: ToolDecision) => {
    const card = group.current?.closest<HTMLElement>("[data-tool-state]");
    setChosen(decision);
    await decide(messageId, call.id, decision);
    setChosen(null);
    // The buttons go; whoever works with the keyboard stays at the call.
    card?.focus();
  };
  const button = (decision: ToolDecision, words: string, variant?: "primary") => (
    <Button
      size="small"
      {...(variant ? { variant } : {})}
      busy={chosen === decision}
      disabled={chosen !== null}
      onClick={() => void answer(decision)}
    >
      {words}
    </Button>
  );
  const isTainted = call.approval === "ask-each-time";
  return (
    <div className="flex flex-col gap-2">
      <p className="text-pretty">{t(isTainted ? "approval.tainted" : "approval.question")}</p>
      <div ref={group} role="group" aria-label={t("approval.group")} className="flex flex-wrap gap-2">
        {/* After reading words of others no answer is the obvious one. */}
        {isTainted ? button("once", t("approval.once")) : button("once", t("approval.once"), "primary")}
        {!isTainted && button("always", t("approval.always"))}
        {button("deny", t("approval.deny"))}
      </div>
    </div>
  );
}
