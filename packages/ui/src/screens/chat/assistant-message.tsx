import type { Citation, Message } from "@corral/protocol";
import { RefreshCw } from "lucide-react";
import { memo, useCallback } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "../../components/copy-button.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { useChat, useConnection, useSource, useStores } from "../../stores/stores.tsx";
import { AnswerBody } from "./answer-body.tsx";
import { AnswerOutcome } from "./answer-outcome.tsx";
import { AnswerTimings } from "./answer-timings.tsx";
import { ReplyStatus } from "./reply-status.tsx";
import { RetrievalNote } from "./retrieval-note.tsx";
import { SourceCards } from "./source-cards.tsx";
import { VersionSwitcher } from "./version-switcher.tsx";

/** An answer, finished or being written, with its sources. */
export const AssistantMessage = memo(function AssistantMessage({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const { source, library } = useStores();
  const regenerate = useChat((state) => state.regenerate);
  const busy = useChat((state) => state.messages.at(-1)?.state === "streaming");
  const canOpenLinks = useConnection((state) => state.fileTransfer === "upload");
  // The number of the open citation, if it is one of this answer.
  const activeCitation = useSource(({ source: open, citations }) =>
    open?.citation && citations[0] === message.citations[0] ? open.citation.number : null,
  );
  const streaming = message.state === "streaming";

  const openCitation = useCallback(
    (citation: Citation) => {
      const document = library.getState().documents.find(({ id }) => id === citation.documentId);
      source.getState().openCitation(citation, message.citations, document?.pageCount ?? null);
    },
    [library, source, message.citations],
  );

  return (
    <article
      aria-label={t("assistant")}
      aria-busy={streaming || undefined}
      data-message={message.id}
      data-state={message.state}
      className={`-m-1 flex flex-col gap-3 p-1 ${streaming ? "" : "[contain-intrinsic-size:auto_12rem] [content-visibility:auto]"}`}
    >
      <AnswerBody
        message={message}
        activeCitation={activeCitation}
        onCitation={openCitation}
        canOpenLinks={canOpenLinks}
      />
      {streaming && <ReplyStatus message={message} />}
      {!streaming && !message.text && message.state === "complete" && (
        <p className="text-ink-muted">{t("message.noWords")}</p>
      )}
      <SourceCards
        citations={message.citations}
        answered={message.text !== ""}
        active={activeCitation}
        onOpen={openCitation}
      />
      <RetrievalNote message={message} />
      <AnswerOutcome message={message} />
      {!streaming && (
        <footer className="-ml-1.5 flex flex-wrap items-center gap-x-0.5">
          <VersionSwitcher message={message} />
          {message.text && <CopyButton label={t("message.copy")} text={message.text} />}
          <IconButton
            size="small"
            label={t("message.regenerate")}
            icon={<RefreshCw aria-hidden="true" />}
            disabled={busy}
            onClick={() => void regenerate(message.id)}
          />
          <AnswerTimings message={message} />
        </footer>
      )}
    </article>
  );
});
