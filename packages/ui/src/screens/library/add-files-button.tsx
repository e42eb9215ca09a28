import { useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useConnection, useLibrary } from "../../stores/stores.tsx";

/** Adds documents: through the system's dialog in the desktop app, through the browser's elsewhere. */
export function AddFilesButton({ collectionId, icon }: { collectionId: string; icon?: ReactNode }) {
  const { t } = useTranslation("library");
  const input = useRef<HTMLInputElement>(null);
  const connection = useConnection((state) => state.connection);
  const inPlace = useConnection((state) => state.fileTransfer === "paths");
  const addFiles = useLibrary((state) => state.addFiles);
  const pickFiles = useLibrary((state) => state.pickFiles);
  const types = connection.kind === "ready" ? connection.host.supportedFileTypes : [];
  return (
    <>
      <Button
        variant="primary"
        icon={icon}
        disabled={connection.kind !== "ready"}
        onClick={() => (inPlace ? void pickFiles(collectionId) : input.current?.click())}
      >
        {t("addFiles")}
      </Button>
      {!inPlace && (
        <input
          ref={input}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-label={t("addFiles")}
          accept={types.join(",")}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            // The same file can be picked again after it was changed.
            event.target.value = "";
            if (files.length > 0) addFiles(collectionId, files);
          }}
        />
      )}
    </>
  );
}
