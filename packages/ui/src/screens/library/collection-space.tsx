import type { CollectionStorage } from "@corral/protocol";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { byteSize } from "../../components/byte-size.ts";
import { StackedBar } from "../../components/stacked-bar.tsx";
import { useLibrary } from "../../stores/stores.tsx";

const parts = [
  { key: "copiesBytes", className: "bg-accent" },
  { key: "textBytes", className: "bg-accent/70" },
  { key: "indexBytes", className: "bg-accent/45" },
  { key: "vectorBytes", className: "bg-accent/25" },
] as const satisfies { key: keyof CollectionStorage; className: string }[];

/** What a collection takes up on the host's disk, by part. `version`: asked again whenever it changes. */
export function CollectionSpace({ collectionId, version }: { collectionId: string; version: unknown }) {
  const { t, i18n } = useTranslation("folders");
  const load = useLibrary((state) => state.storage);
  const [storage, setStorage] = useState<CollectionStorage | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    void load(collectionId, stop.signal).then((found) => {
      if (found && !stop.signal.aborted) setStorage(found);
    });
    return () => stop.abort();
  }, [collectionId, version, load]);

  if (!storage) return null;
  const whole = parts.reduce((sum, { key }) => sum + storage[key], 0);
  const size = (bytes: number) => byteSize(bytes, i18n.language);
  const words = parts.map(({ key }) => `${t(`space.${key}`)} ${size(storage[key])}`);
  return (
    <section aria-labelledby="collection-space" className="flex flex-col gap-2">
      <h2 id="collection-space" className="font-semibold">
        {t("space.title")}
      </h2>
      <p className="text-sm text-ink-muted">{t("space.total", { size: size(whole) })}</p>
      <StackedBar
        label={words.join(", ")}
        whole={whole}
        parts={parts.map(({ key, className }) => ({ key, value: storage[key], className }))}
      />
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-sm">
        {parts.map(({ key, className }) => (
          <div key={key} className="flex items-center gap-2">
            <span aria-hidden="true" className={`size-2.5 rounded-xs ${className}`} />
            <dt className="text-ink-muted">{t(`space.${key}`)}</dt>
            <dd className="tabular-nums">{size(storage[key])}</dd>
          </div>
        ))}
      </dl>
      {storage.inPlaceBytes > 0 && (
        <p className="text-sm text-ink-muted">{t("space.inPlace", { size: size(storage.inPlaceBytes) })}</p>
      )}
    </section>
  );
}
