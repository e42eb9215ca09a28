import { useTranslation } from "react-i18next";
import { useChat } from "../../stores/stores.tsx";
import { visibleText } from "../../components/visible-text.ts";

/** Tells screen readers that a call waits for them, and when a tool runs. */
export function ToolAnnouncer() {
  const { t } = useTranslation("tools");
  const last = useChat((state) => {
    const message = state.messages.at(-1);
    return message?.state === "streaming" ? message.steps.at(-1) : undefined;
  });
  const pending = last?.calls.find(({ state }) => state === "pending-approval");
  const running = last?.calls.find(({ state }) => state === "running");
  return (
    <>
      <p aria-live="assertive" className="sr-only">
        {pending ? t("announce.pending", { tool: visibleText(pending.name) }) : ""}
      </p>
      <p aria-live="polite" className="sr-only">
        {running ? t("announce.running", { tool: visibleText(running.name) }) : ""}
      </p>
    </>
  );
}
