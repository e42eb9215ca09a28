import type { Message } from "@corral/protocol";
import { Info } from "lucide-react";
import { useTranslation } from "react-i18next";

/** What had to stay out of the prompt. Nothing is dropped without saying so. */
export function RetrievalNote({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const { retrieval } = message;
  if (!retrieval) return null;
  const notes = [
    retrieval.omitted > 0 && t("sources.omitted", { count: retrieval.omitted }),
    retrieval.omittedTurns > 0 && t("sources.omittedTurns", { count: retrieval.omittedTurns }),
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return (
    <p className="flex items-start gap-1.5 text-sm text-ink-muted">
      <Info aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
      {notes.join(" ")}
    </p>
  );
}
