import { FileText, Folder } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Chip } from "../../components/chip.tsx";
import { useChat, useLibrary } from "../../stores/stores.tsx";

/** What the conversation answers from, as chips that can be taken away. */
export function AttachedSources() {
  const { t } = useTranslation("chat");
  const { collectionIds, documentIds } = useChat((state) => state.settings.sources);
  const detach = useChat((state) => state.detach);
  const collections = useLibrary((state) => state.collections);
  const documents = useLibrary((state) => state.documents);
  const loaded = useLibrary((state) => state.loaded);
  if (!loaded || collectionIds.length + documentIds.length === 0) return null;
  return (
    <ul aria-label={t("attach.attached")} className="flex flex-wrap gap-1.5 px-3 pt-3">
      {collectionIds.map((id) => {
        const collection = collections.find((known) => known.id === id);
        return (
          <li key={id} className="min-w-0">
            <Chip icon={<Folder aria-hidden="true" />} onRemove={() => void detach({ collectionIds: [id] })}>
              {collection
                ? t("attach.collectionShort", { name: collection.name, count: collection.documentCount })
                : t("attach.removedCollection")}
            </Chip>
          </li>
        );
      })}
      {documentIds.map((id) => (
        <li key={id} className="min-w-0">
          <Chip icon={<FileText aria-hidden="true" />} onRemove={() => void detach({ documentIds: [id] })}>
            {documents.find((known) => known.id === id)?.name ?? t("attach.removedDocument")}
          </Chip>
        </li>
      ))}
    </ul>
  );
}
