import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useChat } from "../../stores/stores.tsx";
import { spokenSentences } from "./spoken-sentences.ts";

/** Reads the answer out to screen readers while it is written: sentence by sentence, never word by word. */
export function AnswerAnnouncer() {
  const { i18n } = useTranslation();
  const reply = useChat((state) => {
    const last = state.messages.at(-1);
    return last?.role === "assistant" ? last : undefined;
  });
  const heard = useRef<{ id: string | undefined; upTo: number }>({ id: undefined, upTo: 0 });
  const [spoken, setSpoken] = useState("");

  useEffect(() => {
    if (!reply) return;
    const streaming = reply.state === "streaming";
    if (heard.current.id !== reply.id) {
      // An answer that was there already when the conversation opened is not read out.
      heard.current = { id: reply.id, upTo: streaming ? 0 : reply.text.length };
    }
    const next = spokenSentences(reply.text, heard.current.upTo, !streaming, i18n.language);
    heard.current.upTo = next.upTo;
    if (next.spoken) setSpoken(next.spoken);
  }, [reply, i18n.language]);

  return (
    <p aria-live="polite" className="sr-only">
      {spoken}
    </p>
  );
}
