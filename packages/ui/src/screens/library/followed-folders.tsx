import type { ErrorReport, FollowedFolder, FolderState } from "@corral/protocol";
import { FolderOpen, FolderSync, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { IconButton } from "../../components/icon-button.tsx";
import { TextField } from "../../components/text-field.tsx";
import { useConnection, useLibrary } from "../../stores/stores.tsx";
import { EntryLine } from "./entry-line.tsx";

const tones: Record<FolderState, "accent" | "neutral" | "danger"> = {
  checking: "neutral",
  following: "accent",
  polling: "accent",
  missing: "danger",
  failed: "danger",
};

/** The folders a collection follows, each with its state, and a field to follow another one. */
export function FollowedFolders({ collectionId }: { collectionId: string }) {
  const { t } = useTranslation("folders");
  const all = useLibrary((state) => state.folders);
  const folders = all.filter((folder) => folder.collectionId === collectionId);
  return (
    <section aria-labelledby="followed-folders" className="flex flex-col gap-3">
      <div>
        <h2 id="followed-folders" className="font-semibold">
          {t("title")}
        </h2>
        <p className="text-sm text-ink-muted">{t("explanation")}</p>
      </div>
      {folders.length > 0 && (
        <ul className="-mx-2 flex flex-col" aria-label={t("title")}>
          {folders.map((folder) => (
            <li key={folder.id}>
              <Folder folder={folder} />
            </li>
          ))}
        </ul>
      )}
      <FollowForm collectionId={collectionId} />
    </section>
  );
}

function Folder({ folder }: { folder: FollowedFolder }) {
  const { t, i18n } = useTranslation("folders");
  const unfollowFolder = useLibrary((state) => state.unfollowFolder);
  const [leaving, setLeaving] = useState(false);
  const checked = folder.checkedAt && new Date(folder.checkedAt).toLocaleString(i18n.language);
  const details = [
    t("documentCount", { count: folder.documentCount }),
    folder.refusedCount > 0 && t("refusedCount", { count: folder.refusedCount }),
    checked && t("checkedAt", { time: checked }),
  ].filter(Boolean);
  return (
    <>
      <EntryLine
        icon={<FolderSync aria-hidden="true" />}
        name={
          <span title={folder.path} className="block truncate font-medium">
            {folder.path}
          </span>
        }
        details={details.join(" · ")}
        error={folder.error?.message ?? null}
        state={<Badge tone={tones[folder.state]}>{t(`state.${folder.state}`)}</Badge>}
        actions={
          <IconButton
            size="small"
            label={t("unfollowNamed", { path: folder.path })}
            icon={<X aria-hidden="true" />}
            onClick={() => setLeaving(true)}
          />
        }
      />
      <ConfirmDialog
        open={leaving}
        onOpenChange={setLeaving}
        title={t("unfollowTitle", { path: folder.path })}
        description={t("unfollowDescription", { count: folder.documentCount })}
        confirmLabel={t("unfollow")}
        onConfirm={() => void unfollowFolder(folder.id, false)}
      />
    </>
  );
}

function FollowForm({ collectionId }: { collectionId: string }) {
  const { t } = useTranslation("folders");
  const inPlace = useConnection((state) => state.fileTransfer === "paths");
  const followFolder = useLibrary((state) => state.followFolder);
  const pickFolder = useLibrary((state) => state.pickFolder);
  const [path, setPath] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ErrorReport | null>(null);

  const follow = async (wanted: string) => {
    if (wanted.trim() === "" || busy) return;
    setBusy(true);
    const failure = await followFolder(collectionId, wanted.trim());
    setBusy(false);
    setError(failure);
    if (!failure) setPath("");
  };
  return (
    <form
      className="flex flex-wrap items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void follow(path);
      }}
    >
      <TextField
        label={t("path")}
        hint={t(inPlace ? "pathHintHere" : "pathHintHost")}
        placeholder={t("pathPlaceholder")}
        value={path}
        error={error?.message}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setPath(event.target.value);
          setError(null);
        }}
        className="min-w-60 flex-1"
      />
      <div className="flex gap-2 pt-6">
        {inPlace && (
          <Button
            icon={<FolderOpen aria-hidden="true" />}
            onClick={() => void pickFolder().then((picked) => (picked ? follow(picked) : undefined))}
          >
            {t("choose")}
          </Button>
        )}
        <Button variant="primary" type="submit" busy={busy} disabled={path.trim() === ""}>
          {t("follow")}
        </Button>
      </div>
    </form>
  );
}
