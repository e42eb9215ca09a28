import type { Collection } from "@corral/protocol";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Switch } from "../../components/switch.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useStores } from "../../stores/stores.tsx";

/** Asks where to export a collection to, or (without one) which file to import. The work itself goes on in the transfer line. */
export function TransferDialog({ collection, onClose }: { collection: Collection | null; onClose: () => void }) {
  const { t } = useTranslation("transfer");
  const { library, transfer } = useStores();
  const form = useId();
  const [path, setPath] = useState("");
  const [name, setName] = useState("");
  const [originals, setOriginals] = useState(true);
  const [vectors, setVectors] = useState(true);
  const wanted = path.trim();

  const start = () => {
    if (!wanted) return;
    const { exportCollection, importCollection } = transfer.getState();
    if (collection) void exportCollection(collection.id, wanted, { originals, vectors });
    else {
      void importCollection(wanted, name.trim() || null).then((ended) => {
        if (ended?.done) library.getState().openCollection(ended.done.collection.id);
      });
    }
    onClose();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={collection ? t("exportTitle", { name: collection.name }) : t("importTitle")}
      description={t(collection ? "exportDescription" : "importDescription")}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button variant="primary" type="submit" form={form} disabled={!wanted}>
            {t(collection ? "exportAction" : "importAction")}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-4 p-1"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <TextField
          label={t("path")}
          hint={t("pathHint")}
          placeholder={t("exportPlaceholder")}
          value={path}
          maxLength={4096}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setPath(event.target.value)}
        />
        {collection ? (
          <>
            <Switch
              label={t("originals")}
              hint={t("originalsHint")}
              checked={originals}
              onCheckedChange={setOriginals}
            />
            <Switch label={t("vectors")} hint={t("vectorsHint")} checked={vectors} onCheckedChange={setVectors} />
          </>
        ) : (
          <TextField
            label={t("name")}
            hint={t("nameHint")}
            value={name}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </form>
    </Dialog>
  );
}
