import type { Message } from "@corral/protocol";
import { Pencil } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { TextArea } from "../../components/text-area.tsx";
import { useChat } from "../../stores/stores.tsx";
import { VersionSwitcher } from "./version-switcher.tsx";

/** A question. It can be edited and asked again, which keeps both versions. */
export const UserMessage = memo(function UserMessage({ message }: { message: Message }) {
  const { t } = useTranslation("chat");
  const [editing, setEditing] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);
  const busy = useChat((state) => state.messages.at(-1)?.state === "streaming");

  return (
    <article
      aria-label={t("you")}
      data-message={message.id}
      className="group flex flex-col items-end gap-1 -m-1 p-1 [contain-intrinsic-size:auto_5rem] [content-visibility:auto]"
    >
      {editing ? (
        <QuestionEditor
          message={message}
          onDone={() => {
            setEditing(false);
            requestAnimationFrame(() => editButton.current?.focus());
          }}
        />
      ) : (
        <>
          <div className="max-w-[85%] rounded-xl rounded-br-sm bg-accent-soft px-4 py-2.5 whitespace-pre-wrap [overflow-wrap:anywhere]">
            {message.text}
          </div>
          <div className="flex items-center gap-0.5">
            <VersionSwitcher message={message} />
            <span className="flex opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
              <CopyButton label={t("message.copy")} text={message.text} />
              <IconButton
                ref={editButton}
                size="small"
                label={t("message.edit")}
                icon={<Pencil aria-hidden="true" />}
                disabled={busy}
                onClick={() => setEditing(true)}
              />
            </span>
          </div>
        </>
      )}
    </article>
  );
});

function QuestionEditor({ message, onDone }: { message: Message; onDone: () => void }) {
  const { t } = useTranslation("chat");
  const send = useChat((state) => state.send);
  const sending = useChat((state) => state.sending);
  const [text, setText] = useState(message.text);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    const area = form.current?.querySelector("textarea");
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);

  const submit = async () => {
    if (text.trim() && (await send(text.trim(), message.id))) onDone();
  };
  return (
    <form
      ref={form}
      className="flex w-full flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone();
        if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
          if (event.target instanceof HTMLTextAreaElement) {
            event.preventDefault();
            void submit();
          }
        }
      }}
    >
      <TextArea
        label={t("message.editLabel")}
        labelHidden
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="flex justify-end gap-2">
        <Button size="small" variant="quiet" onClick={onDone}>
          {t("message.editCancel")}
        </Button>
        <Button size="small" variant="primary" type="submit" busy={sending} disabled={!text.trim()}>
          {t("message.editSend")}
        </Button>
      </div>
    </form>
  );
}
