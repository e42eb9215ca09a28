import type { ConversationEvent } from "@corral/protocol";

/** Tells every watcher what happens to conversations. A slow watcher keeps only the newest event of each conversation. */
export class ConversationEvents {
  readonly #watchers = new Set<(event: ConversationEvent) => void>();

  publish(event: ConversationEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ConversationEvent, void> {
    const waiting = new Map<string, ConversationEvent>();
    let wake: () => void = () => {};
    const watcher = (event: ConversationEvent) => {
      waiting.set(event.type === "changed" ? event.conversation.id : event.conversationId, event);
      wake();
    };
    const onAbort = () => {
      this.#watchers.delete(watcher);
      wake();
    };
    this.#watchers.add(watcher);
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const [next] = waiting;
        if (next === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
        } else {
          waiting.delete(next[0]);
          yield next[1];
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#watchers.delete(watcher);
    }
  }
}
