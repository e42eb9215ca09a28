import type { Collection } from "@corral/protocol";
import { ChevronLeft, Download, Ellipsis, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { useLibrary } from "../../stores/stores.tsx";
import { AddFilesButton } from "./add-files-button.tsx";
import { CollectionSpace } from "./collection-space.tsx";
import { CollectionNameDialog } from "./collection-name-dialog.tsx";
import { FollowedFolders } from "./followed-folders.tsx";
import { DocumentList } from "./document-list.tsx";
import { EvaluationView } from "../evaluation/evaluation-view.tsx";
import { SearchTester } from "./search-tester.tsx";
import { TransferDialog } from "./transfer-dialog.tsx";

/** One collection: its documents, and what a search in it finds. */
export function CollectionView({ collection }: { collection: Collection }) {
  const { t } = useTranslation(["library", "folders", "transfer", "evaluation"]);
  const openCollection = useLibrary((state) => state.openCollection);
  const removeCollection = useLibrary((state) => state.removeCollection);
  const [tab, setTab] = useState("documents");
  const [renaming, setRenaming] = useState(false);
  const [exporting, setExporting] = useState(false);
  const [deleting, setDeleting] = useState(false);

  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex items-start gap-2 px-4 pt-2.5 pb-1 md:px-6 md:pt-4">
        <IconButton
          label={t("backToCollections")}
          icon={<ChevronLeft aria-hidden="true" />}
          onClick={() => openCollection(null)}
          className="-ml-2 md:hidden"
        />
        <div className="min-w-0 flex-1">
          <h1 className="text-xl font-semibold [overflow-wrap:anywhere]">{collection.name}</h1>
          <p className="text-sm text-ink-muted">
            {t("documentCount", { count: collection.documentCount })} ·{" "}
            {t("passageCount", { count: collection.chunkCount })}
          </p>
        </div>
        <AddFilesButton collectionId={collection.id} icon={<Plus aria-hidden="true" />} />
        <Menu
          trigger={
            <IconButton
              plain
              label={t("collectionActions", { name: collection.name })}
              icon={<Ellipsis aria-hidden="true" />}
            />
          }
        >
          <MenuItem icon={<Pencil />} onSelect={() => setRenaming(true)}>
            {t("rename")}
          </MenuItem>
          <MenuItem icon={<Download />} onSelect={() => setExporting(true)}>
            {t("transfer:export")}
          </MenuItem>
          <MenuItem icon={<Trash2 />} dangerous onSelect={() => setDeleting(true)}>
            {t("delete")}
          </MenuItem>
        </Menu>
      </header>
      <Tabs
        className="flex min-h-0 flex-1 flex-col"
        listClassName="mx-4 md:mx-6"
        label={t("views")}
        value={tab}
        onValueChange={setTab}
        tabs={[
          { value: "documents", label: t("documents"), content: <DocumentList collectionId={collection.id} /> },
          {
            value: "folders",
            label: t("folders:tab"),
            content: (
              <div className="flex h-full max-w-3xl flex-col gap-8 overflow-y-auto px-4 pb-6 md:px-6">
                <FollowedFolders collectionId={collection.id} />
                <CollectionSpace collectionId={collection.id} version={collection} />
              </div>
            ),
          },
          { value: "search", label: t("search.tab"), content: <SearchTester collectionId={collection.id} /> },
          {
            value: "evaluation",
            label: t("evaluation:tab"),
            content: <EvaluationView collectionId={collection.id} />,
          },
        ]}
      />
      {exporting && <TransferDialog collection={collection} onClose={() => setExporting(false)} />}
      {renaming && <CollectionNameDialog collection={collection} onClose={() => setRenaming(false)} />}
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t("deleteTitle", { name: collection.name })}
        description={t("deleteDescription", { count: collection.documentCount })}
        confirmLabel={t("delete")}
        dangerous
        onConfirm={() => void removeCollection(collection.id)}
      />
    </div>
  );
}
