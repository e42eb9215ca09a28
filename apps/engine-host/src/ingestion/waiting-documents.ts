/** A document that waits to be read. */
export interface WaitingDocument {
  id: string;
  collectionId: string;
  /** A followed folder brought it: nobody sits and waits for it. */
  followed: boolean;
}

/**
 * The order in which waiting documents are read: collections take turns, each in the order it was given, so that a file
 * dropped into a conversation comes next whatever else was added before; what followed folders bring comes last.
 */
export class WaitingDocuments {
  /** By collection; the one whose turn it is comes first. */
  readonly #wanted = new Map<string, Set<string>>();
  readonly #followed = new Map<string, Set<string>>();

  add({ id, collectionId, followed }: WaitingDocument): void {
    this.delete(id);
    const level = followed ? this.#followed : this.#wanted;
    const collection = level.get(collectionId);
    if (collection) collection.add(id);
    else level.set(collectionId, new Set([id]));
  }

  /** @returns whether it was waiting */
  delete(id: string): boolean {
    for (const level of [this.#wanted, this.#followed]) {
      for (const [collectionId, ids] of level) {
        if (!ids.delete(id)) continue;
        if (ids.size === 0) level.delete(collectionId);
        return true;
      }
    }
    return false;
  }

  /** Takes out the document whose turn it is. */
  next(): string | null {
    for (const level of [this.#wanted, this.#followed]) {
      const turn = level.entries().next().value;
      if (!turn) continue;
      const [collectionId, ids] = turn;
      const id = ids.values().next().value!;
      ids.delete(id);
      level.delete(collectionId);
      if (ids.size > 0) level.set(collectionId, ids);
      return id;
    }
    return null;
  }

  clear(): void {
    this.#wanted.clear();
    this.#followed.clear();
  }
}
