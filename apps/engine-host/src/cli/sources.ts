import { type Collection, CorralError, type CorralClient, type Sources } from "@corral/protocol";

/** The collection of this name or id. @throws CorralError COLLECTION_NOT_FOUND, with the names there are */
export async function findCollection(client: CorralClient, nameOrId: string, signal: AbortSignal): Promise<Collection> {
  const all = await client.library.collections(undefined, { signal });
  const found = collectionNamed(all, nameOrId);
  if (found) return found;
  const names = all.map((collection) => `"${collection.name}"`).join(", ");
  throw new CorralError(
    "COLLECTION_NOT_FOUND",
    `There is no collection "${nameOrId}". ` +
      (names
        ? `There is ${names}.`
        : `Add documents first: corral docs add FILE --collection ${JSON.stringify(nameOrId)}.`),
    { collection: nameOrId },
  );
}

/** Names are compared without case, as the store does. */
export function collectionNamed(collections: Collection[], nameOrId: string): Collection | undefined {
  const wanted = nameOrId.trim().toLowerCase();
  return (
    collections.find((collection) => collection.name.toLowerCase() === wanted) ??
    collections.find((collection) => collection.id === nameOrId)
  );
}

/** The documents a question or search is about: one collection, or everything there is. */
export async function chooseSources(
  client: CorralClient,
  collection: string | undefined,
  signal: AbortSignal,
): Promise<Sources> {
  if (collection !== undefined) {
    return { collectionIds: [(await findCollection(client, collection, signal)).id], documentIds: [] };
  }
  const all = await client.library.collections(undefined, { signal });
  // A collection whose documents all failed to be read holds nothing to answer from.
  return { collectionIds: all.filter((each) => each.chunkCount > 0).map((each) => each.id), documentIds: [] };
}
