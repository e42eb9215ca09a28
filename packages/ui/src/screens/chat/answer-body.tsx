import type { Citation, Message, ToolStep } from "@corral/protocol";
import { useTranslation } from "react-i18next";
import { Markdown } from "../../components/markdown/markdown.tsx";
import { maxToolSteps } from "../../stores/chat-store.ts";
import { ToolCard } from "./tool-card.tsx";

/** The words of an answer, with the calls of tools where they were made. */
export function AnswerBody(props: {
  message: Message;
  activeCitation: number | null;
  onCitation: (citation: Citation) => void;
  canOpenLinks: boolean;
}) {
  const { t } = useTranslation("tools");
  const { message, ...markdown } = props;
  const parts = partsOf(message.text, message.steps);
  return (
    <>
      {parts.map(({ text, step, isLast }, at) => (
        <div key={at} className="contents">
          {text && (
            <Markdown
              text={text}
              streaming={isLast && message.state === "streaming"}
              citations={message.citations}
              {...markdown}
            />
          )}
          {step?.calls.map((call) => (
            <ToolCard key={call.id} call={call} messageId={message.id} />
          ))}
        </div>
      ))}
      {message.steps.length >= maxToolSteps && (
        <p className="text-sm text-ink-muted">{t("card.limit", { count: maxToolSteps })}</p>
      )}
    </>
  );
}

interface Part {
  text: string;
  step: ToolStep | null;
  isLast: boolean;
}

/** The text before each step, with the step, and the text after the last. */
function partsOf(text: string, steps: readonly ToolStep[]): Part[] {
  const starts = [0, ...steps.map(({ textEnd }) => textEnd)];
  return starts.map((start, at) => {
    const step = steps[at] ?? null;
    const words = text.slice(start, step?.textEnd);
    return { text: words.trim() === "" ? "" : words.trimStart(), step, isLast: step === null };
  });
}
