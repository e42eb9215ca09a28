import { FilePlus2, Paperclip } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuCheckItem, MenuItem, MenuLabel, MenuSeparator } from "../../components/menu.tsx";
import { useChat, useConnection, useLibrary } from "../../stores/stores.tsx";
import { useChooseFiles } from "./choose-files.tsx";

/** Single documents offered in the menu; the Documents page shows all. */
const SHOWN_DOCUMENTS = 12;

/** Adds files, and chooses collections and documents to answer from. */
export function AttachMenu() {
  const { t } = useTranslation("chat");
  const ready = useConnection((state) => state.connection.kind === "ready");
  const { collectionIds, documentIds } = useChat((state) => state.settings.sources);
  const attach = useChat((state) => state.attach);
  const detach = useChat((state) => state.detach);
  const collections = useLibrary((state) => state.collections);
  const documents = useLibrary((state) => state.documents);
  const { choose, input } = useChooseFiles();
  // The newest, and those that are attached already however old.
  const readable = documents.filter(({ id, state }) => state !== "failed" || documentIds.includes(id));
  const shown = readable.toReversed().filter(({ id }, index) => index < SHOWN_DOCUMENTS || documentIds.includes(id));

  return (
    <>
      <Menu
        align="start"
        trigger={
          <IconButton plain label={t("composer.attach")} icon={<Paperclip aria-hidden="true" />} disabled={!ready} />
        }
      >
        <MenuItem icon={<FilePlus2 />} onSelect={choose}>
          {t("attach.fromComputer")}
        </MenuItem>
        {collections.length > 0 && (
          <>
            <MenuSeparator />
            <MenuLabel>{t("attach.collections")}</MenuLabel>
            {collections.map(({ id, name, documentCount }) => (
              <MenuCheckItem
                key={id}
                checked={collectionIds.includes(id)}
                onCheckedChange={(checked) => void (checked ? attach : detach)({ collectionIds: [id] })}
              >
                <span className="max-w-64 truncate">{t("attach.collectionChip", { name, count: documentCount })}</span>
              </MenuCheckItem>
            ))}
          </>
        )}
        {shown.length > 0 && (
          <>
            <MenuSeparator />
            <MenuLabel>{t("attach.documents")}</MenuLabel>
            {shown.map(({ id, name }) => (
              <MenuCheckItem
                key={id}
                checked={documentIds.includes(id)}
                onCheckedChange={(checked) => void (checked ? attach : detach)({ documentIds: [id] })}
              >
                <span className="max-w-64 truncate">{name}</span>
              </MenuCheckItem>
            ))}
            {readable.length > shown.length && <MenuLabel>{t("attach.more", { count: readable.length })}</MenuLabel>}
          </>
        )}
      </Menu>
      {input}
    </>
  );
}
