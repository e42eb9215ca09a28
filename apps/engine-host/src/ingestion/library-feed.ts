import type { LibraryEvent } from "@corral/protocol";

/** Tells watchers what happens in the library. A slow watcher misses intermediate states, never the last one. */
export class LibraryFeed {
  readonly #watchers = new Set<Watcher>();

  publish(event: LibraryEvent): void {
    for (const watcher of this.#watchers) watcher.offer(event);
  }

  /** The snapshot first, then each change, until the signal aborts or the feed is closed. */
  async *watch(snapshot: () => Promise<LibraryEvent>, signal: AbortSignal): AsyncGenerator<LibraryEvent> {
    const watcher = new Watcher();
    const onAbort = () => watcher.end();
    signal.addEventListener("abort", onAbort, { once: true });
    // Listening begins before the snapshot is taken, so nothing falls between them.
    this.#watchers.add(watcher);
    try {
      if (signal.aborted) return;
      yield await snapshot();
      for (;;) {
        const event = await watcher.next();
        if (!event) return;
        yield event;
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end();
  }
}

/** A queue that keeps only the newest event about each document and collection, so it cannot outgrow the library. */
class Watcher {
  readonly #waiting = new Map<string, LibraryEvent>();
  #wake: (() => void) | null = null;
  #ended = false;

  offer(event: LibraryEvent): void {
    this.#waiting.set(subject(event), event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<LibraryEvent | null> {
    while (!this.#ended) {
      const first = this.#waiting.entries().next().value;
      if (first) {
        this.#waiting.delete(first[0]);
        return first[1];
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
    return null;
  }
}

function subject(event: LibraryEvent): string {
  switch (event.type) {
    case "snapshot":
      return "snapshot";
    case "collection":
      return `collection ${event.collection.id}`;
    case "collection-removed":
      return `collection ${event.collectionId}`;
    case "folder":
      return `folder ${event.folder.id}`;
    case "folder-removed":
      return `folder ${event.folderId}`;
    case "document":
      return `document ${event.document.id}`;
    case "document-removed":
      return `document ${event.documentId}`;
  }
}
