import { FolderPlus, Library } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useLibrary } from "../../stores/stores.tsx";
import { CollectionList } from "./collection-list.tsx";
import { CollectionNameDialog } from "./collection-name-dialog.tsx";
import { CollectionView } from "./collection-view.tsx";
import { EmbeddingLine } from "./embedding-line.tsx";
import { TransferDialog } from "./transfer-dialog.tsx";
import { TransferLine } from "./transfer-line.tsx";

/** Collections and their documents. On narrow screens one at a time. */
export function LibraryScreen() {
  const { t } = useTranslation("library");
  const collections = useLibrary((state) => state.collections);
  const loaded = useLibrary((state) => state.loaded);
  const openId = useLibrary((state) => state.openCollectionId);
  const error = useLibrary((state) => state.error);
  const dismissError = useLibrary((state) => state.dismissError);
  const openCollection = useLibrary((state) => state.openCollection);
  const [creating, setCreating] = useState(false);
  const [importing, setImporting] = useState(false);
  const open = collections.find(({ id }) => id === openId);

  useEffect(() => {
    // Where both fit there is no reason to show an empty half.
    const first = collections[0];
    if (!open && first && window.matchMedia("(min-width: 48rem)").matches) openCollection(first.id);
  }, [open, collections, openCollection]);

  return (
    <div className="flex h-full min-h-0 flex-col">
      {error && error.code !== "HOST_UNREACHABLE" && (
        <ErrorNote onDismiss={dismissError} className="mx-4 mt-3">
          {error.message}
        </ErrorNote>
      )}
      <TransferLine />
      {!loaded ? (
        <div className="flex flex-1 items-center justify-center">
          <Spinner label={t("loading")} />
        </div>
      ) : collections.length === 0 ? (
        <div className="flex-1 overflow-y-auto">
          <NoCollections onCreate={() => setCreating(true)} onImport={() => setImporting(true)} />
        </div>
      ) : (
        <div className="flex min-h-0 flex-1">
          <div
            className={`flex min-h-0 w-60 shrink-0 flex-col border-r border-line max-md:w-full max-md:border-0 ${open ? "max-md:hidden" : ""}`}
          >
            <CollectionList onCreate={() => setCreating(true)} onImport={() => setImporting(true)} />
          </div>
          <div className={`min-h-0 min-w-0 flex-1 ${open ? "" : "max-md:hidden"}`}>
            {open && <CollectionView key={open.id} collection={open} />}
          </div>
        </div>
      )}
      <EmbeddingLine />
      {importing && <TransferDialog collection={null} onClose={() => setImporting(false)} />}
      {creating && <CollectionNameDialog collection={null} onClose={() => setCreating(false)} />}
    </div>
  );
}

function NoCollections({ onCreate, onImport }: { onCreate: () => void; onImport: () => void }) {
  const { t } = useTranslation(["library", "transfer"]);
  return (
    <EmptyState
      whole
      icon={<Library />}
      title={t("empty.title")}
      action={
        <>
          <Button onClick={onImport}>{t("transfer:import")}</Button>
          <Button variant="primary" icon={<FolderPlus aria-hidden="true" />} onClick={onCreate}>
            {t("newCollection")}
          </Button>
        </>
      }
    >
      <p>{t("empty.explanation")}</p>
      <p className="mt-2 text-sm">{t("empty.types")}</p>
    </EmptyState>
  );
}
