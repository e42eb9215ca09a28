import { FolderPlus, PackageOpen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../components/icon-button.tsx";
import { useLibrary } from "../../stores/stores.tsx";

/** All collections by name. */
export function CollectionList({ onCreate, onImport }: { onCreate: () => void; onImport: () => void }) {
  const { t, i18n } = useTranslation(["library", "transfer"]);
  const collections = useLibrary((state) => state.collections);
  const openId = useLibrary((state) => state.openCollectionId);
  const openCollection = useLibrary((state) => state.openCollection);
  const order = new Intl.Collator(i18n.language, { numeric: true });
  const sorted = [...collections].sort((a, b) => order.compare(a.name, b.name));
  return (
    <>
      <header className="flex items-center justify-between py-2 pr-2 pl-4">
        <h1 className="font-semibold">{t("collections")}</h1>
        <span className="flex">
          <IconButton label={t("transfer:import")} icon={<PackageOpen aria-hidden="true" />} onClick={onImport} />
          <IconButton label={t("newCollection")} icon={<FolderPlus aria-hidden="true" />} onClick={onCreate} />
        </span>
      </header>
      <nav aria-label={t("collections")} className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        <ul className="flex flex-col gap-0.5">
          {sorted.map((collection) => {
            const current = collection.id === openId;
            return (
              <li key={collection.id}>
                <button
                  type="button"
                  aria-current={current ? "true" : undefined}
                  onClick={() => openCollection(collection.id)}
                  className={`flex min-h-9 w-full items-center gap-2 rounded-md px-2.5 py-1.5 text-left transition-colors pointer-coarse:min-h-11 ${
                    current ? "bg-accent-soft font-medium text-accent-ink" : "hover:bg-hover"
                  }`}
                >
                  <span className="min-w-0 flex-1 truncate">{collection.name}</span>
                  <span className="text-xs text-ink-muted tabular-nums">
                    <span aria-hidden="true">{collection.documentCount.toLocaleString(i18n.language)}</span>
                    <span className="sr-only">{t("documentCount", { count: collection.documentCount })}</span>
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      </nav>
    </>
  );
}
