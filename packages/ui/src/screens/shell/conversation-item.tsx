import type { ConversationSummary } from "@corral/protocol";
import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { useChat, useConversations, useNavigation } from "../../stores/stores.tsx";

/** One conversation in the sidebar: opens it; its menu renames and deletes it. */
export function ConversationItem({ conversation }: { conversation: ConversationSummary }) {
  const { t } = useTranslation("shell");
  const [renaming, setRenaming] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const view = useNavigation((state) => state.view);
  const show = useNavigation((state) => state.show);
  const openId = useChat((state) => state.conversationId);
  const open = useChat((state) => state.open);
  const startNew = useChat((state) => state.startNew);
  const remove = useConversations((state) => state.remove);
  const title = conversation.title || t("untitled");
  const current = view === "chat" && openId === conversation.id;

  if (renaming) return <RenameField conversation={conversation} onDone={() => setRenaming(false)} />;
  return (
    <div
      className={`group relative flex items-center rounded-md ${current ? "bg-accent-soft text-accent-ink" : "hover:bg-hover"}`}
    >
      <button
        type="button"
        aria-current={current ? "page" : undefined}
        onClick={() => {
          show("chat");
          void open(conversation.id);
        }}
        onDoubleClick={() => setRenaming(true)}
        className="min-w-0 flex-1 rounded-md py-1.5 pr-9 pl-2.5 text-left pointer-coarse:py-2.5"
      >
        <span className={`block truncate ${current ? "font-medium" : ""}`}>{title}</span>
        {conversation.snippet && (
          <span className="line-clamp-2 text-xs text-ink-muted [overflow-wrap:anywhere]">{conversation.snippet}</span>
        )}
      </button>
      <span className="absolute top-0.5 right-0.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 has-data-[state=open]:opacity-100 pointer-coarse:opacity-100">
        <Menu
          trigger={
            <IconButton
              plain
              size="small"
              label={t("conversationActions", { title })}
              icon={<Ellipsis aria-hidden="true" />}
            />
          }
        >
          <MenuItem icon={<Pencil />} onSelect={() => setRenaming(true)}>
            {t("rename")}
          </MenuItem>
          <MenuItem icon={<Trash2 />} dangerous onSelect={() => setDeleting(true)}>
            {t("delete")}
          </MenuItem>
        </Menu>
      </span>
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t("deleteTitle", { title })}
        description={t("deleteDescription")}
        confirmLabel={t("delete")}
        dangerous
        onConfirm={() => {
          if (openId === conversation.id) startNew();
          void remove(conversation.id);
        }}
      />
    </div>
  );
}

/** The name in a field: Enter and leaving the field save it, Escape does not. */
function RenameField({ conversation, onDone }: { conversation: ConversationSummary; onDone: () => void }) {
  const { t } = useTranslation("shell");
  const rename = useConversations((state) => state.rename);
  const [title, setTitle] = useState(conversation.title);
  const field = useRef<HTMLInputElement>(null);
  const done = useRef(false);

  useEffect(() => {
    // After the menu that opened this has given the focus back to its button.
    const timer = setTimeout(() => field.current?.select(), 0);
    return () => clearTimeout(timer);
  }, []);

  const finish = (save: boolean) => {
    if (done.current) return;
    done.current = true;
    if (save && title.trim() && title.trim() !== conversation.title) void rename(conversation.id, title.trim());
    onDone();
  };
  return (
    <input
      ref={field}
      value={title}
      maxLength={200}
      aria-label={t("renameLabel")}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish(true);
        if (event.key === "Escape") finish(false);
      }}
      className="w-full rounded-md border border-accent bg-surface px-2.5 py-1 text-ink"
    />
  );
}
