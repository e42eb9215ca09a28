import { resolve } from "node:path";
import { type Collection, CorralError, type CorralClient, type FollowedFolder } from "@corral/protocol";
import { collectionFor } from "./add-documents.ts";
import { count, type Output, table } from "./output.ts";

/** Follows a folder, and waits until it was compared once and what it brought is read. */
export async function followFolder(
  client: CorralClient,
  collectionName: string,
  path: string,
  output: Output,
  signal: AbortSignal,
): Promise<FollowedFolder> {
  const { collection, isNew } = await collectionFor(client, collectionName, signal);
  const watching = new AbortController();
  // Watching starts before following, so that no change is missed.
  const events = await client.library.watch(undefined, { signal: AbortSignal.any([signal, watching.signal]) });
  try {
    let folder = await client.library.watchFolder({ collectionId: collection.id, path }, { signal });
    const unread = new Set<string>();
    const note = ({ id, collectionId, state }: { id: string; collectionId: string; state: string }) => {
      if (collectionId !== collection.id) return;
      if (state === "queued" || state === "reading" || state === "indexing") unread.add(id);
      else unread.delete(id);
    };
    for await (const event of events) {
      if (event.type === "snapshot") {
        for (const document of event.documents) note(document);
        folder = event.folders.find(({ id }) => id === folder.id) ?? folder;
      } else if (event.type === "document") note(event.document);
      else if (event.type === "document-removed") unread.delete(event.documentId);
      else if (event.type === "folder" && event.folder.id === folder.id) folder = event.folder;
      else if (event.type === "folder-removed" && event.folderId === folder.id) break;
      if (folder.state !== "checking" && folder.checkedAt !== null && unread.size === 0) break;
      if (folder.state === "missing" || folder.state === "failed") break;
      output.status(
        `Reading ${path} … ${unread.size > 0 ? `${count(unread.size, "document")} to go` : ""}`,
        `Reading ${path} …`,
      );
    }
    output.clearStatus();
    return (await client.library.folders(undefined, { signal })).find(({ id }) => id === folder.id) ?? folder;
  } catch (error) {
    if (isNew) await client.library.removeCollection({ collectionId: collection.id }).catch(() => {});
    throw error;
  } finally {
    watching.abort();
  }
}

/** The followed folder at this path, or with this id. @throws CorralError FILE_NOT_FOUND */
export async function folderAt(client: CorralClient, given: string, signal: AbortSignal): Promise<FollowedFolder> {
  const folders = await client.library.folders(undefined, { signal });
  const found = folders.find(({ id, path }) => id === given || path === given || path === resolve(given));
  if (found) return found;
  throw new CorralError("FILE_NOT_FOUND", `No collection follows ${given}; nothing was changed.`, { file: given });
}

export async function forgetFolder(
  client: CorralClient,
  folder: FollowedFolder,
  removeDocuments: boolean,
  signal: AbortSignal,
): Promise<void> {
  await client.library.unwatchFolder({ folderId: folder.id, removeDocuments }, { signal });
}

export function describeFolders(folders: FollowedFolder[], collections: Collection[]): string {
  if (folders.length === 0) return "No folder is followed.";
  const rows = folders.map(({ collectionId, path, state, error, documentCount }) => [
    collections.find(({ id }) => id === collectionId)?.name ?? "",
    path,
    count(documentCount, "document"),
    error ? error.message : state,
  ]);
  return table([["COLLECTION", "FOLDER", "LENGTH", "STATE"], ...rows]);
}
