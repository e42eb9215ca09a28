import { ArrowUp, Square } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ContextMeter } from "../../components/context-meter.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { useChat, useConnection, useLibrary } from "../../stores/stores.tsx";
import { AddingFiles } from "./adding-files.tsx";
import { AttachMenu } from "./attach-menu.tsx";
import { AttachedSources } from "./attached-sources.tsx";

/** Waits for a pause in typing before the host counts tokens. */
const MEASURE_DELAY_MS = 400;

/** Where questions are written, with what they may be answered from and how full the context is. */
export function Composer() {
  const { t } = useTranslation("chat");
  const id = useId();
  const draft = useChat((state) => state.draft);
  const setDraft = useChat((state) => state.setDraft);
  const send = useChat((state) => state.send);
  const sending = useChat((state) => state.sending);
  const streaming = useChat((state) => state.messages.some((message) => message.state === "streaming"));
  const conversationId = useChat((state) => state.conversationId);
  const error = useChat((state) => state.error);
  const dismissError = useChat((state) => state.dismissError);
  const libraryError = useLibrary((state) => state.error);
  const dismissLibraryError = useLibrary((state) => state.dismissError);
  const hasSources = useChat(
    ({ settings: { sources } }) => sources.collectionIds.length + sources.documentIds.length > 0,
  );
  const ready = useConnection((state) => state.connection.kind === "ready");
  const field = useRef<HTMLTextAreaElement>(null);

  // As tall as its text, up to the limit its style sets.
  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [draft]);

  // A conversation that opens, or a new one, is there to be written in. Touch screens would cover it with a keyboard.
  useEffect(() => {
    if (window.matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [conversationId]);

  const canSend = ready && !sending && !streaming && draft.trim() !== "";
  const submit = async () => {
    if (!canSend) return;
    const text = draft.trim();
    setDraft("");
    field.current?.focus();
    if (!(await send(text))) setDraft(text);
  };

  return (
    <div className="mx-auto w-full max-w-3xl px-4 pb-4">
      <div className="flex flex-col gap-2 pb-2 empty:hidden">
        {error && <ErrorNote onDismiss={dismissError}>{error.message}</ErrorNote>}
        {libraryError && <ErrorNote onDismiss={dismissLibraryError}>{libraryError.message}</ErrorNote>}
        <AddingFiles />
      </div>
      <form
        className="rounded-xl border border-line-strong/60 bg-surface shadow-raised transition-colors focus-within:border-accent"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <AttachedSources />
        <label htmlFor={id} className="sr-only">
          {t("composer.label")}
        </label>
        <textarea
          ref={field}
          id={id}
          rows={1}
          value={draft}
          aria-describedby={`${id}-hint`}
          placeholder={t(hasSources ? "composer.placeholder" : "composer.placeholderNoSources")}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => {
            // Enter also accepts what an input method proposes; that one must not send.
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            void submit();
          }}
          className="block max-h-[40dvh] w-full resize-none bg-transparent px-4 pt-3 pb-1 leading-6 outline-none placeholder:text-ink-muted"
        />
        <span id={`${id}-hint`} className="sr-only">
          {t("composer.hint")}
        </span>
        <div className="flex items-center gap-1.5 px-2 pb-2">
          <AttachMenu />
          <span className="flex-1" />
          <Meter />
          {streaming ? (
            <StopButton />
          ) : (
            <IconButton
              type="submit"
              variant="primary"
              label={t("composer.send")}
              icon={<ArrowUp aria-hidden="true" />}
              disabled={!canSend}
              className="rounded-full!"
            />
          )}
        </div>
      </form>
    </div>
  );
}

function StopButton() {
  const { t } = useTranslation("chat");
  const stop = useChat((state) => state.stop);
  const [stopping, setStopping] = useState(false);
  return (
    <IconButton
      variant="primary"
      label={t(stopping ? "composer.stopping" : "composer.stop")}
      icon={<Square aria-hidden="true" className="size-3.5! fill-current" />}
      disabled={stopping}
      className="rounded-full!"
      onClick={() => {
        setStopping(true);
        void stop().finally(() => setStopping(false));
      }}
    />
  );
}

/** How full the context would be; measured by the host whenever the draft or the conversation has changed and rests. */
function Meter() {
  const draft = useChat((state) => state.draft);
  const messages = useChat((state) => state.messages.length);
  const settings = useChat((state) => state.settings);
  const streaming = useChat((state) => state.messages.at(-1)?.state === "streaming");
  const measure = useChat((state) => state.measure);
  const measureDraft = useChat((state) => state.measureDraft);
  useEffect(() => {
    if (streaming) return;
    const timer = setTimeout(() => void measureDraft(draft), MEASURE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [draft, messages, settings, streaming, measureDraft]);
  // Without a model there is no context to fill.
  return measure && measure.contextSize > 0 ? <ContextMeter {...measure} /> : null;
}
