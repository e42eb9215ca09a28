import type { Stores } from "../../stores/stores.tsx";
import { freeCollectionName } from "./collection-name.ts";

/**
 * Adds files to the open conversation: into the collection it answers from already, else into a new one named after it,
 * which is attached at once. The question can be asked while they are still being read.
 */
export async function addToConversation({ chat, library }: Stores, files: readonly File[]): Promise<void> {
  const { settings, title, attach } = chat.getState();
  const { collections, createCollection, addFiles } = library.getState();
  const attached = collections.find(({ id }) => settings.sources.collectionIds.includes(id));
  if (attached) return void addFiles(attached.id, files);
  const created = await createCollection(freeName(title || (files[0]?.name ?? ""), collections));
  if (!created) return;
  addFiles(created.id, files);
  await attach({ collectionIds: [created.id] });
}

/** Adds files to the collection that is open in the library, else to a new one named after the first of them. */
export async function addToLibrary({ library }: Stores, files: readonly File[]): Promise<void> {
  const { openCollectionId, collections, createCollection, openCollection, addFiles } = library.getState();
  if (openCollectionId) return void addFiles(openCollectionId, files);
  const created = await createCollection(freeName(files[0]?.name ?? "", collections));
  if (!created) return;
  openCollection(created.id);
  addFiles(created.id, files);
}

function freeName(wish: string, collections: readonly { name: string }[]): string {
  return freeCollectionName(
    wish,
    collections.map(({ name }) => name),
  );
}
