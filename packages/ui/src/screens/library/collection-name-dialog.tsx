import type { Collection } from "@corral/protocol";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useLibrary } from "../../stores/stores.tsx";

export interface CollectionNameDialogProps {
  /** Null: a new one is made, and opened. */
  collection: Collection | null;
  onClose: () => void;
}

/** Asks for the name of a new or of a present collection. */
export function CollectionNameDialog({ collection, onClose }: CollectionNameDialogProps) {
  const { t } = useTranslation("library");
  const form = useId();
  const collections = useLibrary((state) => state.collections);
  const createCollection = useLibrary((state) => state.createCollection);
  const renameCollection = useLibrary((state) => state.renameCollection);
  const openCollection = useLibrary((state) => state.openCollection);
  const [name, setName] = useState(collection?.name ?? "");
  const [busy, setBusy] = useState(false);

  const wanted = name.trim();
  const taken = collections.some((one) => one.id !== collection?.id && one.name.toLowerCase() === wanted.toLowerCase());
  const save = async () => {
    if (!wanted || taken || busy) return;
    setBusy(true);
    const created = collection ? null : await createCollection(wanted);
    if (created) openCollection(created.id);
    if (collection && wanted !== collection.name) await renameCollection(collection.id, wanted);
    // A failure stands on the screen behind, in the host's words.
    onClose();
  };

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t(collection ? "renameTitle" : "createTitle")}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button variant="primary" type="submit" form={form} busy={busy} disabled={!wanted || taken}>
            {t(collection ? "rename" : "create")}
          </Button>
        </>
      }
    >
      <form
        id={form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
        // Room for the focus ring inside the scrolling part of the dialog.
        className="p-1"
      >
        <TextField
          label={t("name")}
          placeholder={t("namePlaceholder")}
          value={name}
          maxLength={200}
          autoComplete="off"
          error={taken ? t("nameTaken") : null}
          onChange={(event) => setName(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
